// Kernels of the group signal: sound and other series.

export * from "./signal/frames";
