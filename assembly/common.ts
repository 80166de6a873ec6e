// The module every engine loads: f32, elementwise, quantization, pooling and copies.

export * from "./f32/activations";
export * from "./f32/arg-max";
export * from "./f32/binary";
export * from "./f32/conv";
export * from "./f32/copy";
export * from "./f32/depthwise";
export * from "./f32/gather";
export * from "./f32/gemm";
export * from "./f32/layer-normalization";
export * from "./f32/mat-mul";
export * from "./f32/pool";
export * from "./f32/reduce-mean";
export * from "./f32/softmax";
export * from "./f32/transpose";
export * from "./f32/unary";
export * from "./int8/add";
export * from "./int8/dynamic-quantize";
export * from "./int8/lookup";
export * from "./int8/pool";
export * from "./int8/quantize";
