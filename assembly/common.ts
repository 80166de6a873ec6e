// The module every engine loads: f32, elementwise, quantization, pooling and copies.

export * from "./kernels/activations";
export * from "./kernels/add-int8";
export * from "./kernels/arg-max";
export * from "./kernels/binary";
export * from "./kernels/conv";
export * from "./kernels/copy";
export * from "./kernels/depthwise";
export * from "./kernels/dynamic-quantize";
export * from "./kernels/gather";
export * from "./kernels/gemm";
export * from "./kernels/layer-normalization";
export * from "./kernels/lookup";
export * from "./kernels/mat-mul";
export * from "./kernels/pool";
export * from "./kernels/quantize";
export * from "./kernels/reduce-mean";
export * from "./kernels/softmax";
export * from "./kernels/transpose";
export * from "./kernels/unary";
