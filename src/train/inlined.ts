/// <reference path="../wasm.d.ts" />

// The kernels that only training needs, inside the script: apart from those of engine/inlined.ts, which a device that
// only infers downloads.

import train from "../../build/wasm/train.wasm";

export { train };
