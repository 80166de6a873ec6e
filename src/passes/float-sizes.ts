// Floats that follow from sizes, while a graph is folded: the integers that they are rounded to are known, as those that are computed of
// integers are.

import type { Node, ValueType } from "../graph/graph";
import { countOf } from "../graph/symbols";
import { withinLimits } from "../graph/within-limits";
import type { ToolkitOps } from "../ops/infer";
import type { Known } from "../ops/op";
import { type Real, realOf, realRules } from "../ops/real";

/** Elements of a value that are looked at. */
const MAX_FEW = 2 ** 6;

export class FloatSizes {
  readonly #registry: ToolkitOps;
  readonly #known: ReadonlyMap<string, Known>;
  readonly #reals = new Map<string, readonly Real[]>();

  constructor(registry: ToolkitOps, known: ReadonlyMap<string, Known>) {
    this.#registry = registry;
    this.#known = known;
  }

  /** What a node makes of them. Returns integers that are known by that; `needs` is told what must not be below 0. */
  visit(node: Node, type: ValueType | undefined, needs: (dim: string) => void): readonly Known[] | undefined {
    const real = Object.hasOwn(realRules, node.op) ? realRules[node.op] : undefined;
    const { reshapes } = this.#registry[node.op]!;
    if (!type || (!real && !reshapes)) return undefined;
    // Integers are made of floats by a cast alone.
    if (type.dtype !== "f32" && !this.#reals.has(node.inputs[0]!)) return undefined;
    const lists = (reshapes ? node.inputs.slice(0, 1) : node.inputs).map((input) => this.#of(input));
    const count = Math.max(...lists.map((list) => list.length));
    if (countOf(type.shape) !== count || !lists.every(({ length }) => length === 1 || length === count))
      return undefined;
    const made: Real[] = [];
    for (let i = 0; i < count; i++) {
      const of = lists.map((list) => list[list.length === 1 ? 0 : i]!);
      const one = real ? withinLimits(() => real(node, of)) : of[0];
      if (!one) return undefined;
      made.push(one);
    }
    const shape = type.shape as readonly number[];
    if (type.dtype === "f32") this.#reals.set(node.outputs[0]!, made);
    if (type.dtype !== "i32" || count === 0) return undefined;
    for (const dim of made.flatMap((one) => one.needs)) if (typeof dim === "string") needs(dim);
    return [{ dtype: type.dtype, shape, data: made.map(({ of }) => of) }];
  }

  /** Those of a value; none where it does not follow from sizes. */
  #of(value: string): readonly Real[] {
    const own = this.#reals.get(value);
    if (own) return own;
    const known = this.#known.get(value);
    if (!known || known.data.length > MAX_FEW || !/^(f32|i32)$/.test(known.dtype)) return [];
    const reals = Array.from(known.data, realOf);
    return reals.every((real) => real !== undefined) ? reals : [];
  }
}
