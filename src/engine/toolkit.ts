// What the toolkit has once, for all that it does: the ops, and an engine that compiles each module once. The entries of the
// package hand it down; a runtime of octette/runtime carries none of it.

import type { ToolkitOps } from "../ops/infer";
import { toolkitOps } from "../ops/toolkit";
import { inlined } from "./inlined";
import { type Carried, Engine, type WasmSources } from "./wasm";

export class Toolkit {
  readonly ops: ToolkitOps;
  readonly engine: Engine;
  readonly #wasm: Carried;

  constructor(ops: ToolkitOps, wasm: Carried) {
    this.#wasm = { ...wasm };
    this.ops = ops;
    this.engine = new Engine(this.#wasm);
  }

  /** Adds modules whose kernels models may call from here on: those of training, once they are loaded. */
  carry(wasm: WasmSources): this {
    Object.assign(this.#wasm, wasm);
    return this;
  }
}

/** That of octette and octette/nn, which compile the same modules. */
export const toolkit = /* @__PURE__ */ new Toolkit(toolkitOps, inlined);
