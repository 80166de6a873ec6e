/// <reference path="../wasm.d.ts" />

// The compiled kernels of the core, inside the script. Each stands for itself, so that a bundler leaves out what is not used.

import baseline from "../../build/wasm/baseline.wasm";
import common from "../../build/wasm/common.wasm";
import extmul from "../../build/wasm/extmul.wasm";
import relaxed from "../../build/wasm/relaxed.wasm";

export const modules = { common, baseline, extmul, relaxed };
export { baseline, common, extmul, relaxed };
