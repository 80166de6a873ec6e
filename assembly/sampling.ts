// Kernels of the group sampling: images at computed places, regions of interest, and columns back to images.

export * from "./sampling/affine-grid";
export * from "./sampling/col2im";
export * from "./sampling/grid-sample";
export * from "./sampling/regions";
