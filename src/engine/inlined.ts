// What a runtime may carry: octette/wasm.

export * from "../../build/groups/inlined";
export { extmulClass, relaxedClass } from "./classes";
