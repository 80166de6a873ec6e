// The int8 kernels, compiled once for each class: with products of 16 bits (baseline), of bytes by extmul, and of bytes by
// the relaxed dot product, where the engine's own is exact over 8 bits; the host asks it. All give the same bytes; only what
// is packed differs.
export * from "./int8/conv";
export * from "./int8/depthwise";
export * from "./int8/gemm";
export * from "./int8/gemv";
export * from "./int8/pack";
export * from "./int8/pack-depthwise";
