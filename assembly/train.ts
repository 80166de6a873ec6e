// What only training needs, over the same memory: gradients, quantization of master weights, losses, updates. A device
// that only infers does not download it.

export * from "./train/gather";
export * from "./train/layer-normalization";
export * from "./train/pool";
export * from "./train/reduce";
export * from "./train/reduce-mean";
export * from "./train/softmax";
export * from "./train/sum";
export * from "./train/unary";
