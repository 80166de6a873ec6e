// The modules of the core, every engine class with what decides whether it runs.

import { extmulClass, relaxedClass } from "./classes";
import { baseline, common, extmul as extmulBytes, relaxed as relaxedBytes } from "./modules";

const extmul = /* @__PURE__ */ extmulClass(extmulBytes);
const relaxed = /* @__PURE__ */ relaxedClass(relaxedBytes);

export { baseline, common, extmul, relaxed };
