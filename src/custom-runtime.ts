// octette/create-runtime: what puts a runtime of few ops together, and nothing of the one that octette/runtime has ready. Some
// bundlers split what is imported later before they see that nobody uses it; from here they do not reach it.

export { createRuntime } from "./create-runtime";
export { FormatError, OctetteError } from "./errors";
export { tensor } from "./graph/tensor";
