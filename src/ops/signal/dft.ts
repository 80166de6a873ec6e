import type { Node, ValueType } from "../../graph/graph";
import {
  addDims,
  countOf,
  type Dim,
  floorDims,
  formatShape,
  minDims,
  multiplyDims,
} from "../../graph/symbols";
import { dimsOf, normalizeAxis } from "../axes";
import { floatType, numberOf, numbersOf, type Op, opError, type Traits } from "../op";
import { sizesIn } from "../sizes";
import { type PlainRule, Steps } from "../steps";
import { checkTransform, type Transform } from "./fourier";
import { transform } from "./product";

/** The axis of the signal, which is not the last: that holds real and imaginary parts. */
function axisOf(node: Node, rank: number): number {
  const [axis = -2] = numbersOf(node, "axis", []);
  const own = normalizeAxis(node, axis, rank);
  if (own < rank - 1) return own;
  throw opError(node, "its axis is that of real and imaginary parts", {
    expected: "another",
    got: `${axis}`,
  });
}

function transformOf(node: Node, { shape }: ValueType): Transform<Dim> {
  const axis = axisOf(node, shape.length);
  const [extent, from] = [shape[axis]!, shape.at(-1)];
  const isInverse = numberOf(node, "inverse", 0) !== 0;
  const isOneSided = numberOf(node, "onesided", 0) !== 0;
  const isHalf = isInverse && isOneSided;
  if ((from !== 1 && from !== 2) || (isOneSided && from !== (isInverse ? 2 : 1)))
    throw opError(node, "its signal does not fit", {
      expected: `1 number each if it is real, 2 if it is complex${
        isOneSided ? `: of one side, ${isInverse ? "complex" : "real"}` : ""
      }`,
      got: formatShape(shape),
    });
  const [points = isHalf ? multiplyDims(2, addDims(extent, -1)) : extent] = dimsOf(node, "dft_length") ?? [];
  if (typeof points === "number" && !(points > 0))
    throw opError(node, "its length does not fit", { expected: "1 or more", got: `${points}` });
  const half = addDims(floorDims(points, 2), 1);
  const read = minDims(extent, isHalf ? half : points);
  const made = isOneSided && !isInverse ? half : points;
  return { points, read, from, to: isHalf ? 1 : 2, made, isInverse, isHalf };
}

/** Discrete Fourier transform along an axis of signals [..., 1] or, complex, [..., 2]. ONNX DFT-20. */
export const dFT: Op = {
  inputs: 3,
  attributes: ["inverse", "onesided"],
  parameters: { 1: "dft_length", 2: "axis" },
  open: [1],
  infer(node, inputs) {
    const x = floatType(node, inputs, 0);
    const own = transformOf(node, x);
    checkTransform(node, own);
    const shape = x.shape.with(axisOf(node, x.shape.length), own.made).with(-1, own.to);
    return [{ dtype: "f32", shape }];
  },
  rows: (node, [x]) => x!.axis < x!.shape.length - 1 && x!.axis !== axisOf(node, x!.shape.length),
  lower({ node, inputs, outputs }, c) {
    const x = c.type(inputs[0]!);
    const axis = axisOf(node, x.shape.length);
    if (axis !== x.shape.length - 2)
      throw opError(node, "its axis is not the last but one", {
        hint: "Move it there with Transpose, as importOnnx does",
      });
    const own = transformOf(node, x);
    const [extent, points, read, made] = sizesIn(`DFT "${node.name}"`, [
      x.shape[axis]!,
      own.points,
      own.read,
      own.made,
    ]) as [number, number, number, number];
    const ldx = extent * own.from;
    transform(c, { ...own, points, read, made }, countOf(x.shape.slice(0, axis)), {
      y: c.output(outputs[0]!),
      x: c.input(inputs[0]!),
      ldx,
    });
  },
};

/** The axis of the signal becomes the last but one. */
export const dFTPlain: PlainRule = (node, rewrite, types) => {
  const rank = types.get(node.inputs[0]!)!.shape.length;
  const axis = axisOf(node, rank);
  if (axis === rank - 2) return;
  const others = Array.from({ length: rank - 1 }, (_, i) => i).filter((i) => i !== axis);
  const perm = [...others, axis, rank - 1];
  const steps = new Steps(rewrite, node);
  const turned = steps.add("Transpose", [node.inputs[0]!], { perm });
  const made = steps.add("DFT", [turned], { ...node.attributes, axis: [-2] }, true);
  steps.add("Transpose", [made], { perm: perm.map((_, i) => perm.indexOf(i)) });
  steps.done();
};

export const dFTTraits: Traits = {
  codes: "none",
  homogeneous: (node, axis, rank) => axis < rank - 1 && axis !== axisOf(node, rank),
  trained: undefined,
};
