// Elements of a value that a run computes, such as a shape. Those that follow from sizes are known; each of the others gets a symbol, which
// a node binds when the run has computed it.

import type { Node, ValueType } from "../graph/graph";
import type { FreshNames } from "../graph/names";
import { ANY_NUMBER, countOf, type Dim, isNatural, type Shape } from "../graph/symbols";
import { symbolOf } from "../ops/act";
import { MAX_BOUND } from "../ops/control/bind";
import { MAX_RANGE } from "../ops/control/range";
import type { ToolkitOps } from "../ops/infer";
import { tensorOf } from "../ops/known";
import type { Known, Op } from "../ops/op";

/** Nodes back to what a value is computed from, and elements of what is looked into there. */
const MAX_TRACED = 2 ** 5;
const MAX_FEW = 2 ** 3;

/** What is known of a graph while it is folded. */
interface Folded {
  readonly registry: ToolkitOps;
  readonly known: Map<string, Known>;
  readonly types: ReadonlyMap<string, ValueType>;
  /** Nodes by the values that they make. */
  readonly makers: ReadonlyMap<string, Node>;
  floored(known: Known, by: string): Known;
  /** Names that are free. */
  readonly symbols: FreshNames;
  readonly names: FreshNames;
  add(node: Node): void;
}

/** A known parameter; of a shape, with the sizes that 0 and −1 stand for (`isWorkedOut`). */
type Parameter = Known & { readonly isWorkedOut?: true };

/** Whether an element may be below 0, as in a shape −1 that stands for other sizes. */
const isOfAnySign = ({ data }: Known): boolean =>
  !ArrayBuffer.isView(data) &&
  Array.from(data).some((dim) => `${dim}`.includes(ANY_NUMBER) && !isNatural(dim));

export class TracedElements {
  readonly #in: Folded;

  constructor(folded: Folded) {
    this.#in = folded;
  }

  /** What is known of an input that is a parameter, elements that a run tells as symbols. Of one that a run may compute, only numbers. */
  parameter(value: string, index: number, node: Node, op: Op): Parameter | undefined {
    const known = this.#in.known.get(value);
    if (op.computable?.includes(index)) return known && tensorOf(known);
    const isTold = known && !(op.reshapes && isOfAnySign(known));
    return value === "" || isTold || !op.open?.includes(index) ? known : this.#asked(value, node, op);
  }

  /** Elements that a node asks for; undefined where they get no symbols. */
  #asked(value: string, { inputs, attributes }: Node, { reshapes }: Op): Parameter | undefined {
    const [elements, x] = [this.#elementsOf(value, MAX_TRACED), this.#in.types.get(inputs[0]!)];
    if (!elements || !reshapes || !x) return elements;
    // What stands for other sizes, as 0 and −1 in a shape, a run has to tell.
    const isSize = (dim: Dim) => (typeof dim === "number" ? dim > 0 : isNatural(dim));
    const sizes = Array.from(elements.data, (dim) => (isSize(dim) ? dim : undefined));
    if (!sizes.includes(undefined)) return elements;
    const of = { of: x.shape, allowzero: attributes.allowzero ?? 0 };
    return { ...elements, data: this.#found(value, sizes, of), isWorkedOut: true };
  }

  /** The elements of a value, as symbols where they do not follow from what it is computed from, so many nodes back. */
  #elementsOf(value: string, depth: number): Known | undefined {
    const { registry, known, types, floored } = this.#in;
    const type = types.get(value);
    const count = type && countOf(type.shape);
    const canBe = typeof count === "number" && count <= MAX_BOUND && Object.hasOwn(registry, "Bind");
    if (known.has(value) || !canBe) return known.get(value);
    const made = depth > 0 ? this.#made(value, count, depth) : undefined;
    const { dtype, shape } = type as Known;
    const elements = made
      ? floored(made, value)
      : { dtype, shape, data: this.#found(value, new Array<undefined>(count).fill(undefined)) };
    known.set(value, elements);
    return elements;
  }

  /** What a node makes of the elements of integers that it reads, where these are few. */
  #made(value: string, count: number, depth: number): Known | undefined {
    const { registry, known, types, makers } = this.#in;
    const node = makers.get(value);
    if (!node || node.codes || node.outputs.length > 1 || types.get(value)?.dtype !== "i32") return undefined;
    const isFew = (input: string) => {
      const own = types.get(input);
      return own?.dtype === "i32" && Number(countOf(own.shape)) <= Math.max(count, MAX_FEW);
    };
    const { evaluate } = registry[node.op]!;
    const isKnown = (input: string) =>
      input === "" || known.has(input) || (isFew(input) && this.#elementsOf(input, depth - 1) !== undefined);
    if (!evaluate || node.inputs.length === 0 || !node.inputs.every(isKnown)) return undefined;
    const of = node.inputs.map((input) => known.get(input));
    return evaluate(
      node,
      of,
      node.inputs.map((input) => types.get(input)),
    )?.[0];
  }

  /** Elements of which a node finds those that are not known. */
  #found(
    value: string,
    known: readonly (Dim | undefined)[],
    attributes: Node["attributes"] = {},
  ): readonly Dim[] {
    const { symbols, names, add } = this.#in;
    const prefix = attributes.of ? "" : ANY_NUMBER;
    const found = known.map((dim, i) => dim ?? symbols.fresh(prefix + symbolOf(value, i)));
    const name = names.fresh(`${value}_bind`);
    add({ op: "Bind", name, inputs: [value], outputs: [], attributes: { ...attributes, found } });
    return found;
  }
}

/** Elements of a value. Only those of a Range do not follow from its type. */
export function mostOf(shape: Shape): number {
  const count = countOf(shape);
  return typeof count === "number" ? count : MAX_RANGE;
}
