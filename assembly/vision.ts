// Kernels of the group vision: resampling.

export { gather as pick } from "./moves/gather";
export * from "./vision/interpolate";
