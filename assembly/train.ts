// What only training needs, over the same memory: gradients, quantization of master weights, losses, updates. A device
// that only infers does not download it.

export * from "./train/conv-input-gradient";
export * from "./train/conv-weight-gradient";
export * from "./train/depthwise-input-gradient";
export * from "./train/depthwise-sums";
export * from "./train/depthwise-weight-gradient";
export * from "./train/dequantize-weights";
export * from "./train/product-gradient";
export * from "./train/reduce";
