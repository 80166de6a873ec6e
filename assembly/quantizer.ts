// What only quantizing a language model needs: sums of products of its activations, their factors, and codes of weights that are
// rounded one column after the other. A device that only infers does not download it.

export * from "./quantizer/feedback";
export * from "./quantizer/gram";
export * from "./quantizer/search";
export * from "./quantizer/triangle";
export * from "./train/weights";
