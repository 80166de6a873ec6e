// Kernels of the group math: elementary functions.

export { elu, gelu, geluTanh, tanh } from "./f32/activations";
export { logSoftmax } from "./f32/softmax";
export * from "./f32/softplus";
export * from "./f32/unary";
