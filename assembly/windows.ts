// Kernels of the group windows: convolutions and poolings over volumes, over weights that a run computes, and with places.

export * from "./windows/conv";
export * from "./windows/deform";
export { maxPoolPlaces, poolVolume, scatterPlaces } from "./windows/pool";
