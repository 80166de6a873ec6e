// Kernels of the group math: elementary functions and reductions.

export { elu, gelu, geluTanh, tanh } from "./f32/activations";
export * from "./f32/arg-max";
export * from "./f32/reduce-mean";
export { logSoftmax } from "./f32/softmax";
export * from "./f32/softplus";
export * from "./f32/unary";
