import { inlined } from "../engine/inlined";
import { Engine } from "../engine/wasm";
import { train } from "../train/inlined";

/** Compiled once for all models that are trained and all losses that judge them. */
export const engine = /* @__PURE__ */ new Engine({ ...inlined, train });
