// Kernels of the group language, compiled once for each class as those of class.ts are: linear layers of language models.
export * from "./int4/linear";
export * from "./int4/pack";
export * from "./linear/int8";
