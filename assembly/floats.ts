// The module of models with float layers: products of floats, and activations over them.

export { hardSigmoid, hardSwish, leakyRelu, sigmoid, silu } from "./f32/activations";
export * from "./f32/conv";
export * from "./f32/depthwise";
export * from "./f32/gemm";
export * from "./f32/mat-mul";
