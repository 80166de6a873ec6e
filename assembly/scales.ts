// Kernels of the group scales: codes under scales that a run computes, or of more than one scale.

export * from "./scales/scales";
