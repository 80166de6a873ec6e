// The int8 kernels. Compiled twice: with relaxed SIMD (exact where the engine's relaxed dot is u8·s8; the host
// asks it) and without. Both give the same bytes; only the packed weights differ.
export * from "./kernels/conv-int8";
export * from "./kernels/depthwise-int8";
export * from "./kernels/gemm-int8";
export * from "./kernels/gemv-int8";
export * from "./kernels/pack-depthwise-int8";
export * from "./kernels/pack-int8";
