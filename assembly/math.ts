// Kernels of the group math: elementary functions, and functions of several values of any dtype.

export * from "./elementwise/activations";
export * from "./elementwise/arithmetic";
export * from "./elementwise/bits";
export * from "./elementwise/cast";
export * from "./elementwise/compare";
export * from "./elementwise/exponential";
export * from "./elementwise/power";
export * from "./elementwise/rounding";
export * from "./elementwise/select";
export * from "./elementwise/trigonometry";
export { elu, gelu, geluTanh, tanh } from "./f32/activations";
export { logSoftmax } from "./f32/softmax";
export * from "./f32/softplus";
export * from "./f32/unary";
