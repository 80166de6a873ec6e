// Kernels of the group reduce: folds of dimensions, and what is found in them.

export * from "./reduce/arg-max";
export * from "./reduce/finish";
export * from "./reduce/log-sum-exp";
export * from "./reduce/reduce";
