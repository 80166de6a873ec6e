// The runtime of octette/runtime. Functions in a file of their own, so that a bundler leaves all of it out where only createRuntime is used.

import { groups } from "./core-groups";
import { type Runtime, runtimeOf } from "./runtime";

const runtime = /* @__PURE__ */ runtimeOf(groups);

/**
 * Loads a model from .octette bytes, a Blob, a Response, an async iterable of chunks, or a file's path or URL (Node).
 * Imports the op groups that the model names, where they are not here yet.
 * Throws FormatError where the file is not what it should be, OctetteError where this runtime lacks an op.
 */
export const load: Runtime["load"] = (source, options) => runtime.load(source, options);
/**
 * As `load`, from bytes that are already here, and blocking while wasm compiles. Throws an OctetteError "unsupported" where an op
 * is in a group that is not here: `await preload("math")` imports it.
 */
export const loadSync: Runtime["loadSync"] = (bytes, options) => runtime.loadSync(bytes, options);
/**
 * Imports op groups by name, such as "math" (all of them where none is named), so that `loadSync` runs models of their ops. Its error names
 * the groups that a model needs.
 */
export const preload = (...names: string[]): Promise<void> => groups.load(names);
/** Which class of kernels this engine runs, and why. */
export const runtimeInfo: Runtime["info"] = () => runtime.info();
