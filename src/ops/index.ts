// Every op this build knows, by its ONNX name: together, and each for itself, for a runtime of few (createRuntime). The
// tables are made of the files of this folder: scripts/ops.js.

import type { registry } from "../../build/groups/all";

/** Names of all ops: what a table of rules over ops has as its keys. */
export type OpName = keyof typeof registry;

export * from "../../build/groups/all";
