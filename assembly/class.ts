// The int8 kernels, compiled once for each class: with products of 16 bits (baseline), of bytes by extmul, and of bytes by
// the relaxed dot product, where the engine's own is exact over 8 bits; the host asks it. All give the same bytes; only what
// is packed differs.
export * from "./kernels/conv-int8";
export * from "./kernels/depthwise-int8";
export * from "./kernels/gemm-int8";
export * from "./kernels/gemv-int8";
export * from "./kernels/pack-depthwise-int8";
export * from "./kernels/pack-int8";
