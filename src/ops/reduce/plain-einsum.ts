// Einsum as sums, transposes, reshapes and products of matrices: inputs one after the other, from the left.

import type { Node } from "../../graph/graph";
import { countOf, type Dim } from "../../graph/symbols";
import { sameShape } from "../core/reshape";
import type { PlainRule, Rewriting } from "../steps";
import { type Equation, equationOf, extentsOf } from "./einsum";

/** A value whose dimensions have names; those of length 1 may stand for longer ones. */
interface Named {
  readonly value: string;
  readonly names: readonly string[];
  readonly extents: readonly Dim[];
}

export const einsumPlain: PlainRule = (node, rewrite, types) => {
  const shapes = node.inputs.map((input) => types.get(input)!.shape);
  const equation = equationOf(node, shapes);
  const all = extentsOf(node, equation, shapes);
  const writer = new Writer(node, rewrite);
  const operands = node.inputs.map((value, i) =>
    writer.spread({ value, names: equation.terms[i]!, extents: shapes[i]! }, all),
  );
  let [left, ...others] = operands as [Named, ...Named[]];
  left = writer.reduced(left, needed(equation, others));
  for (let i = 0; i < others.length; i++) {
    const kept = needed(equation, others.slice(i + 1));
    const right = writer.reduced(others[i]!, [...kept, ...left.names]);
    left = writer.product(writer.reduced(left, [...kept, ...right.names]), right, kept);
  }
  const last = writer.turned(left, equation.result);
  writer.end(
    last,
    equation.result.map((name) => all.get(name)!),
  );
};

/** Names that the result or later inputs have. */
const needed = ({ result }: Equation, later: readonly Named[]): readonly string[] => [
  ...result,
  ...later.flatMap(({ names }) => names),
];

class Writer {
  readonly #node: Node;
  readonly #rewrite: Rewriting;
  readonly #nodes: Node[] = [];

  constructor(node: Node, rewrite: Rewriting) {
    this.#node = node;
    this.#rewrite = rewrite;
  }

  #add(op: string, inputs: readonly string[], attributes: Node["attributes"] = {}): string {
    const { name, outputs } = this.#node;
    const output = this.#rewrite.fresh(`${outputs[0]}_${op.toLowerCase()}`);
    const own = this.#rewrite.fresh(`${name}_${op.toLowerCase()}`);
    this.#nodes.push({ op, name: own, inputs, outputs: [output], attributes });
    return output;
  }

  /** As long as all other operands where symbols do not tell whether it is. */
  spread({ value, names, extents }: Named, all: ReadonlyMap<string, Dim>): Named {
    const shape = names.map((name, i) => (extents[i] === 1 ? 1 : all.get(name)!));
    if (sameShape(extents, shape)) return { value, names, extents };
    return { value: this.#add("Expand", [value], { shape }), names, extents: shape };
  }

  /** Summed over names that nobody needs. */
  reduced({ value, names, extents }: Named, kept: readonly string[]): Named {
    const axes = names.flatMap((name, axis) => (kept.includes(name) ? [] : [axis]));
    if (axes.length === 0) return { value, names, extents };
    const isKept = (_: unknown, axis: number) => !axes.includes(axis);
    return {
      value: this.#add("ReduceSum", [value], { axes, keepdims: 0 }),
      names: names.filter(isKept),
      extents: extents.filter(isKept),
    };
  }

  /** With its dimensions in this order. */
  turned({ value, names, extents }: Named, order: readonly string[]): Named {
    const perm = order.map((name) => names.indexOf(name));
    if (perm.every((axis, i) => axis === i)) return { value, names, extents };
    return {
      value: this.#add("Transpose", [value], { perm }),
      names: order,
      extents: perm.map((axis) => extents[axis]!),
    };
  }

  #shaped({ value, extents }: Named, shape: readonly Dim[]): string {
    if (`${extents}` === `${shape}`) return value;
    return this.#add("Reshape", [value], { shape, allowzero: 1 });
  }

  /** The product of two, summed over the names of both that are not kept. */
  product(a: Named, b: Named, kept: readonly string[]): Named {
    const isShared = (name: string) => a.names.includes(name) && b.names.includes(name);
    const stack = a.names.filter((name) => isShared(name) && kept.includes(name));
    const summed = a.names.filter((name) => isShared(name) && !kept.includes(name));
    const rows = a.names.filter((name) => !isShared(name));
    const columns = b.names.filter((name) => !isShared(name));
    const isSame = (name: string) => extentIn(a, name) === extentIn(b, name);
    const left = this.turned(a, [...stack, ...rows, ...summed]);
    const right = this.turned(b, [...stack, ...summed, ...columns]);
    const of = (x: Named, names: readonly string[]) => names.map((name) => extentIn(x, name));
    const [m, n] = [countOf(of(a, rows)), countOf(of(b, columns))];
    const extents = [
      ...stack.map((name) => (extentIn(a, name) === 1 ? extentIn(b, name) : extentIn(a, name))),
      ...of(a, rows),
      ...of(b, columns),
    ];
    const names = [...stack, ...rows, ...columns];
    if (summed.every(isSame)) {
      const k = countOf(of(a, summed));
      const isFlat = stack.every(isSame);
      const [over, under] = isFlat
        ? [stack, stack].map((names) => (names.length === 0 ? [] : [countOf(of(a, names))]))
        : [of(a, stack), of(b, stack)];
      const op = summed.length === 0 ? "Mul" : "MatMul";
      const read = [this.#shaped(left, [...over!, m, k]), this.#shaped(right, [...under!, k, n])];
      const made = this.#add(op, read);
      const has = isFlat ? [...over!, m, n] : [...extents.slice(0, stack.length), m, n];
      return { value: this.#shaped({ value: made, names, extents: has }, extents), names, extents };
    }
    // A summed length of 1 stands for a longer one.
    const order = [...stack, ...rows, ...columns, ...summed];
    const spread = (x: Named) =>
      this.#shaped(
        this.turned(
          x,
          order.filter((name) => x.names.includes(name)),
        ),
        order.map((name) => (x.names.includes(name) ? extentIn(x, name) : 1)),
      );
    const made = this.#add("Mul", [spread(a), spread(b)]);
    const axes = summed.map((_, i) => names.length + i);
    return { value: this.#add("ReduceSum", [made], { axes, keepdims: 0 }), names, extents };
  }

  /** The last node makes the output, in this shape. */
  end({ value, extents }: Named, shape: readonly Dim[]): void {
    const { name, outputs } = this.#node;
    const isSame = `${extents}` === `${shape}`;
    const op = isSame ? "Identity" : "Expand";
    this.#nodes.push({ op, name, inputs: [value], outputs, attributes: isSame ? {} : { shape } });
    this.#rewrite.replace(this.#node, ...this.#nodes);
  }
}

const extentIn = ({ names, extents }: Named, name: string): Dim => extents[names.indexOf(name)]!;
