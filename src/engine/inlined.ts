/// <reference path="../wasm.d.ts" />

// The compiled kernels, inside the script. Each stands for itself, so that a bundler leaves out what is not used.

import baseline from "../../build/wasm/baseline.wasm";
import common from "../../build/wasm/common.wasm";
import relaxed from "../../build/wasm/relaxed.wasm";

/** Every engine class. */
export const inlined = { common, baseline, relaxed };
export { baseline, common, relaxed };
