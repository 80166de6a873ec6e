// Kernels of the group normalize: what is scaled by the statistics of its neighbours.

export * from "./normalize/group-normalization";
export * from "./normalize/local-response";
