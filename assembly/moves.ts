// Kernels of the group moves: elements picked, put and arranged, of any type.

export * from "./moves/bits";
export * from "./moves/gather";
export * from "./moves/patterns";
export * from "./moves/scatter";
