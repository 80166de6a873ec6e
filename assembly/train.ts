// What only training needs, over the same memory: gradients, quantization of master weights, losses, updates. A device
// that only infers does not download it.

export * from "./train/conv-input-gradient";
export * from "./train/conv-weight-gradient";
export * from "./train/product-gradient";
export * from "./train/reduce";
