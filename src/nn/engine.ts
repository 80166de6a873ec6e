import { toolkit } from "../toolkit/toolkit";
import { train } from "../train/inlined";

/** Compiled once for all models that are trained and all losses that judge them. */
export const { engine } = /* @__PURE__ */ toolkit.carry({ train });
