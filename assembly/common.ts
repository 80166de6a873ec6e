// The module that every model loads: kernels of the core ops over codes, and those over floats that integer models have, too.

export { clip, clipBetween } from "./f32/activations";
export * from "./f32/binary";
export * from "./f32/copy";
export * from "./f32/pool";
export { softmax } from "./f32/softmax";
export * from "./f32/transpose";
export * from "./int8/add";
export * from "./int8/dynamic-quantize";
export * from "./int8/lookup";
export * from "./int8/pool";
export * from "./int8/quantize";
