// Kernels of the group sequence: rows of text, sound and transformers.

export * from "./f32/cum-sum";
export * from "./f32/layer-normalization";
