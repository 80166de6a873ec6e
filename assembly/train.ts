// What only training needs, over the same memory: gradients, quantization of master weights, losses, updates. A device
// that only infers does not download it.

export * from "./f32/conv-transpose";
export * from "./f32/depthwise-transpose";
export * from "./train/code-scales";
export * from "./train/conv-input-gradient";
export * from "./train/conv-weight-gradient";
export * from "./train/cum-prod";
export * from "./train/depthwise-sums";
export * from "./train/depthwise-weight-gradient";
export * from "./train/dequantize-weights";
export * from "./train/det";
export * from "./train/dropout";
export * from "./train/extremes";
export * from "./train/gather";
export * from "./train/gru-gradient";
export * from "./train/layer-normalization";
export * from "./train/learned-scale";
export * from "./train/losses";
export * from "./train/lstm-gradient";
export * from "./train/mask-gradient";
export * from "./train/masks";
export * from "./train/negative-log-likelihood";
export * from "./train/pool";
export * from "./train/product-gradient";
export * from "./train/reduce";
export * from "./train/reductions";
export * from "./train/requantize";
export * from "./train/rms-normalization";
export * from "./train/rnn-gradient";
export * from "./train/softmax";
export * from "./train/sum";
export * from "./train/top-k";
export * from "./train/unary";
export * from "./train/updates";
export * from "./train/weights";
