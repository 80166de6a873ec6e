// Kernels of the group language: what transformers and other models of text have beyond the core and sequence.

export * from "./language/attention";
export * from "./language/cache";
export * from "./language/causal-conv";
export * from "./language/rms-normalization";
export * from "./language/rotary-angles";
export * from "./language/rotary-embedding";
