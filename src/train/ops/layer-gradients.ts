// Gradients of Linear, of any layer's bias and of scales of its weights, and what those of convolutions share. Weights and inputs
// may be codes: then one scale a channel, or inputs that name the constants of a scale and a zero point, say what they stand for.

import { gemmScratchBytes, packedBytes } from "../../../assembly/f32/sizes";
import { productWeightGradientScratchBytes } from "../../../assembly/train/sizes";
import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, multiplyDims } from "../../graph/symbols";
import { sizeOf } from "../../graph/tensor";
import { dimsOf } from "../../ops/axes";
import { heldAbove, perChannelScales } from "../../ops/codes";
import {
  type Address,
  elementsOf,
  type Lowering,
  NONE,
  numberOf,
  type Op,
  opError,
  type Unit,
} from "../../ops/op";
import { scalar } from "./scalar";

/** The shape that a gradient has because its value has it. */
export const shapeOf = (node: Node): readonly Dim[] => dimsOf(node, "shape")!;

export const gradientTypes = (node: Node): ValueType[] => [{ dtype: "f32", shape: shapeOf(node) }];

/** A gradient of an image, which it may be added to: inputs dy, w, scales of its codes or "", and the gradient that is there. */
// @__NO_SIDE_EFFECTS__
export const imageGradient = (lower: NonNullable<Op["lower"]>): Op => ({
  infer: gradientTypes,
  rows: true,
  layout: (node) => ({
    inputs: node.inputs.map((_, i) => (i === 0 || i === 3 ? "channelsLast" : "plain")),
    outputs: ["channelsLast"],
  }),
  lower,
});

/** Where weights lie, which may be a constant or what the step computes. */
export function weightsAt(c: Lowering, w: string): Address {
  const constant = c.constant(w);
  return constant ? c.data(constant) : c.input(w);
}

/** Weights as numbers: where they lie, or what their codes stand for. */
export function realWeights(unit: Unit, c: Lowering): Address {
  const [, w, scale = ""] = unit.inputs as [string, string, string?];
  const at = weightsAt(c, w);
  if (scale === "") return at;
  const shape = c.type(w).shape as number[];
  const channels = shape[0]!;
  const scales = c.constant(scale)
    ? c.data(perChannelScales({ scale: elementsOf(c.constant(scale)!) as Float32Array }, channels))
    : c.input(scale);
  const real = c.temporary(4 * sizeOf(shape));
  c.emit("dequantizeWeights", [real, at, scales, sizeOf(shape.slice(1))], channels);
  return real;
}

/** Emits what finds an input gradient, and adds the gradient that the unit's fourth input is. */
export function summed(unit: Unit, c: Lowering, emit: (dx: Address) => void): void {
  const [dx, sum = ""] = [unit.outputs[0]!, unit.inputs[3]];
  if (sum === "") return emit(c.output(dx));
  const known = c.input(sum);
  const to = c.output(dx, sum);
  const found = to.buffer === known.buffer ? c.temporary(to.buffer.bytes) : to;
  emit(found);
  addTo(c, to, known, found, countOf(c.type(dx).shape));
}

export const addTo = (c: Lowering, y: Address, a: Address, b: Address, count: Dim): void =>
  c.emit("add", [y, a, b, 1, count, 0, 0, 1, 0, 0, 1, -Infinity, Infinity], 1);

/** What the input x of a weights' gradient is: inputs dy, x, scale and zero point of the codes that x is. */
export function inputCodes({ inputs }: Unit, c: Lowering): readonly [isCoded: 0 | 1, scale: Dim, zero: Dim] {
  const [, x, scale = "", zeroPoint = ""] = inputs as [string, string, string?, string?];
  const { dtype } = c.type(x);
  if (dtype === "f32") return [0, 1, 0];
  return [1, scalar(c, scale), zeroPoint === "" ? heldAbove(dtype) : scalar(c, zeroPoint)];
}

interface ProductWeights {
  readonly dw: Address;
  readonly dy: Address;
  readonly x: Address;
  readonly rows: Dim;
  readonly n: number;
  readonly k: number;
  readonly strideN: number;
  readonly strideK: number;
  /** Whether x is codes, and what they stand for. */
  readonly coded: ReturnType<typeof inputCodes>;
}

/** dw[n][k] = Σ_rows dy[row][n] · x[row][k]. */
export function productWeights(c: Lowering, p: ProductWeights): void {
  const { dw, dy, x, rows, n, k, strideN, strideK, coded } = p;
  const scratch = c.scratch((most) => productWeightGradientScratchBytes(most(rows), n, k));
  const args = [dw, dy, n, x, k, scratch, rows, n, k, strideN, strideK, ...coded] as const;
  c.emit("productWeightGradient", args, n, multiplyDims(rows, n * k));
}

/** dx of y = x · Wᵀ: inputs dy, w, scales of its codes or "", a gradient to add to or ""; attribute `shape`, that of x. */
export const productInputGradient: Op = {
  infer: gradientTypes,
  rows: true,
  lower(unit, c) {
    const [dy, w] = unit.inputs as [string, string];
    const [k, n] = c.type(w).shape as [number, number];
    const real = realWeights(unit, c);
    const packed = c.temporary(packedBytes(n, k));
    c.call("packWeights", [packed, real, n, 1, k, 1, 0, n]);
    const count = countOf(c.type(dy).shape.slice(0, -1));
    const scratch = c.scratch((most) => gemmScratchBytes(most(count), k));
    const from = c.input(dy);
    summed(unit, c, (dx) => {
      const args = [dx, n, from, k, packed, NONE, scratch, n, k, -Infinity, Infinity] as const;
      c.emit("gemm", args, count, multiplyDims(count, n * k));
    });
  },
};

/** dw of y = x · Wᵀ: inputs dy, x and, of codes, scale and zero point; attribute `shape`, that of w. */
export const productWeightGradient: Op = {
  infer: gradientTypes,
  sums: true,
  lower(unit, c) {
    const [dy, x] = unit.inputs as [string, string];
    const [n, k] = shapeOf(unit.node) as [number, number];
    productWeights(c, {
      dw: c.output(unit.outputs[0]!),
      dy: c.input(dy),
      x: c.input(x),
      rows: countOf(c.type(dy).shape.slice(0, -1)),
      n,
      k,
      strideN: k,
      strideK: 1,
      coded: inputCodes(unit, c),
    });
  },
};

/** db[c] = Σ dy over all but its channels: axis 1 of an image, else the last. */
export const biasGradient: Op = {
  infer: gradientTypes,
  sums: true,
  layout: (node) => ({
    inputs: [numberOf(node, "axis", -1) === 1 ? "channelsLast" : "plain"],
    outputs: ["plain"],
  }),
  lower(unit, c) {
    const [channels] = shapeOf(unit.node) as [number];
    const { shape } = c.type(unit.inputs[0]!);
    const isImage = numberOf(unit.node, "axis", -1) === 1;
    const rows = countOf(isImage ? [shape[0]!, ...shape.slice(2)] : shape.slice(0, -1));
    if (!isImage && shape.at(-1) !== channels)
      throw opError(unit.node, "its channels are not the last", { got: `${shape.at(-1)} of ${channels}` });
    c.emit("sumRows", [c.output(unit.outputs[0]!), c.input(unit.inputs[0]!), rows, channels], channels);
  },
};

/** ds[c] = Σ dw · code over a channel: inputs dw, codes. */
export const scaleGradient: Op = {
  infer: (_, inputs) => [{ dtype: "f32", shape: inputs[0]!.shape.slice(0, 1) }],
  lower(unit, c) {
    const [dw, codes] = unit.inputs as [string, string];
    const at = weightsAt(c, codes);
    const [channels, ...rest] = c.type(dw).shape as [number, ...number[]];
    c.emit("scaleGradient", [c.output(unit.outputs[0]!), c.input(dw), at, sizeOf(rest)], channels);
  },
};
