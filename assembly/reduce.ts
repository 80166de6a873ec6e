// Kernels of the group reduce: folds of dimensions, and what is found in them.

export * from "./reduce/arg-extreme";
export * from "./reduce/det";
export * from "./reduce/finish";
export * from "./reduce/hardmax";
export * from "./reduce/log-sum-exp";
export * from "./reduce/negative-log-likelihood";
export * from "./reduce/reduce";
export * from "./reduce/top-k";
export * from "./reduce/wide";
