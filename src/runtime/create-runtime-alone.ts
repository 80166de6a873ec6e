// octette/create-runtime: createRuntime alone. octette/runtime imports op groups later, and some bundlers keep these even where
// nobody uses them. This entry does not reach them.

export { FormatError, OctetteError } from "../errors";
export { tensor } from "../graph/tensor";
export { createRuntime } from "./create-runtime";
