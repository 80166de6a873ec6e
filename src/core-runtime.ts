// The runtime of octette/runtime: the core ops and every engine class; other groups are imported when a model names one of their
// ops. Functions in a file of their own, so that a bundler leaves all of it out where only createRuntime is used.

import { core } from "../build/groups/core";
import { later } from "../build/groups/later";
import { baseline, common, extmul, relaxed } from "./engine/core-inlined";
import { OpGroups } from "./engine/op-groups";
import { type Runtime, runtimeOf } from "./runtime-of";

const groups = /* @__PURE__ */ new OpGroups(core, { common, baseline, extmul, relaxed }, later);
const runtime = /* @__PURE__ */ runtimeOf(groups);

/**
 * Loads a model from .octette bytes, a Blob, a Response, an async iterable of chunks, or a file's path or URL (Node).
 * Imports the op groups (math, moves, sequence, vision) that the model names, where they are not here yet.
 * Throws FormatError where the file is not what it should be, OctetteError where this runtime lacks an op.
 */
export const load: Runtime["load"] = (source, options) => runtime.load(source, options);
/**
 * As `load`, from bytes that are already here, and blocking while wasm compiles. Throws an OctetteError "unsupported" where an op
 * is in a group that is not here: `await preload("math")` imports it.
 */
export const loadSync: Runtime["loadSync"] = (bytes, options) => runtime.loadSync(bytes, options);
/** Imports op groups ("math", "moves", "sequence", "vision"; all where none is named), so that `loadSync` runs models of their ops. */
export const preload = (...names: string[]): Promise<void> => groups.load(names);
/** Which class of kernels this engine runs, and why. */
export const runtimeInfo: Runtime["info"] = () => runtime.info();
