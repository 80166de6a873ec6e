// Transpose: dimensions in another order. Where the layout of its input makes the new order the one in memory (to
// channels last, or back) nothing moves.

import type { Node } from "../../graph/graph";
import type { Tensor } from "../../graph/tensor";
import { axesOf } from "../axes";
import { emitCopy, memoryOrder, memoryStrides, movesNothing, requireSameCodes, walkable } from "../copy";
import { stridedCopy, stridesOf } from "../known";
import { inputType, type Layout, type Op, opError, type Traits, type Unit } from "../op";
import type { PlainRule } from "../steps";

/** y's dimension i is x's dimension perm[i]; all reversed where no attribute says otherwise. */
export function permutationOf(node: Node, rank: number): number[] {
  const perm = axesOf(node, rank, "perm") ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  if (perm.length !== rank)
    throw opError(node, "perm does not fit", { expected: `${rank} axes`, got: `[${perm.join(", ")}]` });
  return perm;
}

/** A matrix with its two dimensions exchanged. */
export const turned = (matrix: Tensor): Tensor => {
  const [rows, cols] = matrix.shape as [number, number];
  return stridedCopy(matrix, [cols, rows], [1, cols]) as Tensor;
};

export const transpose: Op = {
  attributes: ["perm"],
  moves: true,
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    return [{ dtype: x.dtype, shape: permutationOf(node, x.shape.length).map((axis) => x.shape[axis]!) }];
  },
  rows: true,
  layout(node, [layout], types) {
    const { shape } = inputType(node, types, 0);
    const perm = permutationOf(node, shape.length);
    const from = walkable(layout);
    // Dimensions of 1 lie anywhere.
    const inMemory = memoryOrder(shape.length, from).filter((axis) => shape[axis] !== 1);
    const isFree = (to: Layout) =>
      memoryOrder(shape.length, to)
        .map((axis) => perm[axis]!)
        .filter((axis) => shape[axis] !== 1)
        .every((axis, i) => axis === inMemory[i]);
    const to = !isFree("plain") && shape.length > 2 && isFree("channelsLast") ? "channelsLast" : "plain";
    return { inputs: [from], outputs: [to] };
  },
  lower,
  lowerInteger(unit, c) {
    requireSameCodes(unit);
    lower(unit, c);
  },
};

function lower({ node, inputs, outputs }: Unit, c: Parameters<NonNullable<Op["lower"]>>[1]): void {
  const [input, output] = [inputs[0]!, outputs[0]!];
  const x = c.type(input);
  const y = c.type(output);
  const perm = permutationOf(node, x.shape.length);
  const xStrides = memoryStrides(x.shape, c.layout(input));
  const yStrides = memoryStrides(y.shape, c.layout(output));
  const loops = memoryOrder(y.shape.length, c.layout(output)).map((axis) => ({
    extent: y.shape[axis]!,
    y: yStrides[axis]!,
    x: xStrides[perm[axis]!]!,
  }));
  if (movesNothing(loops)) c.alias(output, input);
  else emitCopy(node, c, x.dtype, c.output(output), c.input(input), loops);
}

export const transposeTraits: Traits = {
  codes: "moves",
  homogeneous: undefined,
  trained: undefined,
  idle: (node, x) => permutationOf(node, x.shape.length).every((axis, i) => axis === i),
  turned: (node, axis, rank) => ({ axis: permutationOf(node, rank).indexOf(axis), repeats: 1 }),
  evaluate(node, [x]) {
    if (!x) return undefined;
    const perm = permutationOf(node, x.shape.length);
    const strides = stridesOf(x.shape);
    return [
      stridedCopy(
        x,
        perm.map((axis) => x.shape[axis]!),
        perm.map((axis) => strides[axis]!),
      ),
    ];
  },
};

/** z's dimension i is y's perm[i], which is x's before[perm[i]]. */
export const transposePlain: PlainRule = (node, rewrite, types) => {
  const inner = rewrite.producer(node.inputs[0]);
  if (inner?.op !== node.op || inner.codes) return;
  const { length } = types.get(node.inputs[0]!)!.shape;
  const before = permutationOf(inner, length);
  const perm = permutationOf(node, length).map((axis) => before[axis]!);
  rewrite.replace(node, { ...node, inputs: inner.inputs, attributes: { perm } });
};
