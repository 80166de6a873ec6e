// What a runtime of every engine class carries: octette/wasm.

import { extmulClass, relaxedClass } from "./classes";
import { baseline, common, extmul as extmulBytes, relaxed as relaxedBytes } from "./modules";

const extmul = /* @__PURE__ */ extmulClass(extmulBytes);
const relaxed = /* @__PURE__ */ relaxedClass(relaxedBytes);

/** Every engine class. */
export const inlined = { common, baseline, extmul, relaxed };
export { baseline, common, extmul, extmulClass, relaxed, relaxedClass };
