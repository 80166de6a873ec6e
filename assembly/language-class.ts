// Kernels of the group language, compiled once for each class as those of class.ts are: linear layers of language models, rows of tables
// that lie as their weights do, and attention over codes.
export * from "./blocks/linear";
export * from "./blocks/pack";
export * from "./int4/linear";
export * from "./int4/pack";
export * from "./language/attention-int8";
export * from "./linear/gather";
export * from "./linear/int8";
export * from "./linear/pack-int8";
