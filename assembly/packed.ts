// Kernels of the group packed: weights of 4 or 8 bits in blocks, as ONNX Runtime has them, with float inputs.

export * from "./packed/bits";
