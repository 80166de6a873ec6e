// What there is once, for all that octette does: ops, conversions, gradients, and an engine that compiles each module once. The
// entries of the package hand it down; a runtime of octette/runtime carries none of it.

import { carried, importLater, laterNames } from "../../build/groups/carried";
import { provideRunSizes } from "../engine/planner";
import { runSizes } from "../engine/run-sizes/run-sizes";
import { type Carried, Engine, type WasmSources } from "../engine/wasm";
import { OctetteError } from "../errors";
import type { Conversions } from "../formats/onnx/source";
import { nodeWasm } from "../node-module";
import type { ToolkitOps } from "../ops/infer";
import { toolkitOps } from "../ops/toolkit";
import type { Rule } from "../train/gradients/rule";

/** What is known beside octette's own. */
export interface Own {
  readonly ops: ToolkitOps;
  readonly wasm: WasmSources;
  readonly conversions: Conversions;
  readonly gradients: Readonly<Record<string, Rule>>;
}

/** Made by `createToolkit`. */
export class Toolkit {
  /** @internal */
  readonly ops: ToolkitOps;
  /** @internal */
  readonly engine: Engine;
  /** @internal */
  readonly own: Own;
  /** @internal */
  readonly wasm: Carried;

  /** @internal */
  constructor(own: Own) {
    provideRunSizes(runSizes);
    this.own = own;
    this.ops = { ...toolkitOps, ...own.ops };
    const imported = laterNames.map((name) => {
      const load = async () => (await this.#import())[name]!;
      return [name, Object.assign(load, { now: () => nodeWasm(name) })] as const;
    });
    this.wasm = { ...carried, ...Object.fromEntries(imported), ...own.wasm };
    this.engine = new Engine(this.wasm);
  }

  /** Imports the kernels that this toolkit does not have from the start, as `preload` of octette does for its own. */
  async preload(): Promise<void> {
    await this.#import();
  }

  async #import(): Promise<Readonly<Record<string, Uint8Array>>> {
    const wasm = await importLater();
    this.carry({ ...wasm, ...this.own.wasm });
    return wasm;
  }

  /**
   * Adds modules whose kernels models may call from here on: those of training, once they are loaded.
   * @internal
   */
  carry(wasm: WasmSources): this {
    Object.assign(this.wasm, wasm);
    return this;
  }
}

/** That of octette and octette/nn, which compile the same modules. */
export const toolkit = /* @__PURE__ */ new Toolkit({ ops: {}, wasm: {}, conversions: {}, gradients: {} });

/** Which toolkit a function works with. */
export interface ToolkitOptions {
  /** With ops of one's own: what `createToolkit` made. Default: octette's ops alone. */
  readonly toolkit?: Toolkit | undefined;
}

/** The toolkit that options name, and the other options. */
export function toolkitIn<O extends object>(options: O & ToolkitOptions): [toolkit: Toolkit, rest: O] {
  if (typeof options !== "object" || options === null || !("toolkit" in options)) return [toolkit, options];
  const { toolkit: given = toolkit, ...rest } = options as ToolkitOptions;
  if (given instanceof Toolkit) return [given, rest as O];
  throw new OctetteError("option toolkit does not fit", {
    code: "argument",
    expected: "what createToolkit gives",
    got: typeof given,
  });
}
