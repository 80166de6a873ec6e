// The module of models with float layers: products, sums and poolings of floats, and activations over them.

export { clipBetween, hardSigmoid, hardSwish, leakyRelu, sigmoid, silu } from "./f32/activations";
export * from "./f32/binary";
export * from "./f32/conv";
export { fill32 } from "./f32/copy";
export * from "./f32/depthwise";
export * from "./f32/gemm";
export * from "./f32/mat-mul";
export * from "./f32/pool";
