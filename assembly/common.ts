// The module that every model loads: kernels of the core ops over codes, and those over floats that integer models have, too.

export { clip } from "./f32/activations";
export { copyRows, copyStrided } from "./f32/copy";
export { softmax } from "./f32/softmax";
export * from "./f32/transpose";
export * from "./int8/add";
export * from "./int8/dynamic-quantize";
export * from "./int8/lookup";
export * from "./int8/pool";
export * from "./int8/quantize";
