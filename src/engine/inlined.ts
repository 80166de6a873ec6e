// What a runtime may carry: octette/wasm.

import { baseline, common, extmul, relaxed } from "./core-inlined";
import { math, sequence } from "./group-modules";

/** Every engine class and every op group. */
export const inlined = { common, baseline, extmul, relaxed, math, sequence };
export { extmulClass, relaxedClass } from "./classes";
export { baseline, common, extmul, math, relaxed, sequence };
