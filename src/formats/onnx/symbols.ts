// Dimensions of an ONNX file's inputs as dimensions of a graph: names that fit symbols, values for those that the
// caller fixes.

import { OctetteError } from "../../errors";
import { FreshNames } from "../../graph/names";
import type { Dim } from "../../graph/symbols";
import type { ValueInfoProto } from "./proto";

/** Letters of a symbol; what a longer name in a file has beyond them is cut. */
const MAX_SYMBOL_LENGTH = 64;

type FileShape = NonNullable<ValueInfoProto["shape"]>;

/** Finds one symbol for each name, and one for each unknown dimension without a name. */
export class SymbolTable {
  readonly #byName = new Map<string, string>();
  readonly #taken = new FreshNames([]);
  readonly #fixed: ReadonlyMap<string, number>;

  /** `fixed` gives symbols a value, by their name in the file or in the graph. */
  constructor(fixed: Readonly<Record<string, number>>, inputs: readonly ValueInfoProto[]) {
    this.#fixed = new Map(Object.entries(fixed));
    for (const [symbol, value] of Object.entries(fixed))
      if (!Number.isInteger(value) || value < 1)
        throw new OctetteError("invalid value for a symbol", {
          code: "argument",
          where: `options.symbols.${symbol}`,
          got: `${value}`,
        });
    // Named ones first, so that a made-up name never takes theirs.
    for (const { shape = [] } of inputs)
      for (const dim of shape)
        if (typeof dim === "string" && !this.#byName.has(dim)) this.#byName.set(dim, this.#unique(dim));
  }

  /** The graph's dimensions for an input's. An unknown first dimension without a name is "batch". */
  dims(input: string, shape: FileShape): Dim[] {
    return shape.map((dim, axis) => {
      if (typeof dim === "number") return dim;
      const isBatch = dim === undefined && axis === 0 && shape.length >= 2;
      const key = dim ?? (isBatch ? "batch" : `${input}_${axis}`);
      let symbol = this.#byName.get(key);
      if (symbol === undefined) this.#byName.set(key, (symbol = this.#unique(key)));
      return this.#fixed.get(key) ?? this.#fixed.get(symbol) ?? symbol;
    });
  }

  /** Throws when the caller fixed a symbol that no input has. */
  checkFixed(where: string): void {
    const known = new Set([...this.#byName].flat());
    const stray = [...this.#fixed.keys()].filter((symbol) => !known.has(symbol));
    if (stray.length > 0)
      throw new OctetteError("unknown symbol", {
        code: "argument",
        where: `${where}, options.symbols`,
        expected:
          [...new Set(this.#byName.values())].join(", ") || "no symbols: all sizes are fixed in the file",
        got: stray.join(", "),
      });
  }

  /** The name as a symbol, [A-Za-z_][A-Za-z0-9_]*, numbered where another name gives the same. */
  #unique(name: string): string {
    const symbol = name.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?=[0-9]|$)/, "_");
    return this.#taken.fresh(symbol.slice(0, MAX_SYMBOL_LENGTH));
  }
}
