// Gradients of Conv, Gemm and MatMul: of their input, their weights and their bias. Images are channels last. The input
// and the weights may be codes: then the attributes x_scale and x_zero, or one scale a channel, say what they stand for.

import {
  convTransposeScratchBytes,
  gemmScratchBytes,
  packedBytes,
  packedConvTransposeBytes,
  packedDepthwiseBytes,
} from "../../../assembly/f32/sizes";
import { type Window as Slide, WINDOW_BYTES } from "../../../assembly/lanes/window";
import {
  convInputGradientScratchBytes,
  convWeightGradientScratchBytes,
  depthwiseWeightGradientScratchBytes,
  productWeightGradientScratchBytes,
} from "../../../assembly/train/sizes";
import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, multiplyDims } from "../../graph/symbols";
import { sizeOf } from "../../graph/tensor";
import { dimsOf } from "../../ops/axes";
import { perChannelScales } from "../../ops/codes";
import {
  type Geometry,
  geometryOf,
  groupChannels,
  groupMacs,
  isDepthwise,
  isPointwise,
  isSpatial,
  macsOf,
} from "../../ops/conv";
import {
  type Address,
  behind,
  elementsOf,
  type Lowering,
  NONE,
  numberOf,
  type Op,
  opError,
  type Unit,
} from "../../ops/op";
import { channelsOf } from "../../ops/scheme";
import { slideOf, windowWords } from "../../ops/window";

/** The shape that a gradient has because its value has it. */
const shapeOf = (node: Node): readonly Dim[] => dimsOf(node, "shape")!;

const gradientOf = (node: Node): ValueType[] => [{ dtype: "f32", shape: shapeOf(node) }];

/** Where weights lie, which may be a constant or what the step computes. */
function weightsAt(c: Lowering, w: string): Address {
  const constant = c.constant(w);
  return constant ? c.data(constant) : c.input(w);
}

/** Weights as numbers: where they lie, or what their codes stand for. */
function realWeights(unit: Unit, c: Lowering, axis: number): Address {
  const [, w, scale = ""] = unit.inputs as [string, string, string?];
  const at = weightsAt(c, w);
  if (scale === "") return at;
  const shape = c.type(w).shape as number[];
  const { outer, channels, inner } = channelsOf(shape, axis);
  const scales = c.constant(scale)
    ? c.data(perChannelScales({ scale: elementsOf(c.constant(scale)!) as Float32Array }, channels))
    : c.input(scale);
  const real = c.temporary(4 * sizeOf(shape));
  c.emit("dequantizeWeights", [real, at, scales, channels, inner], outer * channels);
  return real;
}

/** The geometry of the convolution whose gradient this is. */
function geometry(node: Node, x: readonly Dim[], w: readonly Dim[]): Geometry {
  return geometryOf(node, { dtype: "f32", shape: x }, { dtype: "f32", shape: w });
}

/** Emits what finds an input gradient, and adds the gradient that the unit's fourth input is. */
function summed(unit: Unit, c: Lowering, emit: (dx: Address) => void): void {
  const [dx, sum = ""] = [unit.outputs[0]!, unit.inputs[3]];
  if (sum === "") return emit(c.output(dx));
  const known = c.input(sum);
  const to = c.output(dx, sum);
  const found = to.buffer === known.buffer ? c.temporary(to.buffer.bytes) : to;
  emit(found);
  add(c, to, known, found, countOf(c.type(dx).shape));
}

const add = (c: Lowering, y: Address, a: Address, b: Address, count: Dim): void =>
  c.emit("add", [y, a, b, 1, count, 0, 0, 1, 0, 0, 1, -Infinity, Infinity], 1);

/**
 * dx of y = conv(x, w): inputs dy, w, scales of its codes or "", a gradient to add to or "", of ungrouped windows a mask of dy
 * or ""; `shape` is that of x.
 */
export const convInputGradient: Op = {
  infer: gradientOf,
  rows: true,
  layout: (node) => ({
    inputs: node.inputs.map((_, i) => (i === 0 || i === 3 ? "channelsLast" : "plain")),
    outputs: ["channelsLast"],
  }),
  lower(unit, c) {
    const [dy, w] = unit.inputs as [string, string];
    const g = geometry(unit.node, shapeOf(unit.node), c.type(w).shape);
    const real = realWeights(unit, c, 0);
    const from = c.input(dy);
    if (isDepthwise(g)) summed(unit, c, (to) => depthwiseInput(c, g, to, from, real));
    else if (isPointwise(g)) summed(unit, c, (to) => pointwiseInput(c, g, to, from, real));
    else if (isSpatial(g)) spatialInput(unit, c, g, real);
    else summed(unit, c, (to) => groupedInput(c, g, to, from, real));
  },
};

/** dx = dy · W. */
function pointwiseInput(c: Lowering, g: Geometry, dx: Address, dy: Address, weights: Address): void {
  const rows = multiplyDims(g.batch, g.outH * g.outW);
  const [n, k] = [g.channels, g.outChannels];
  const packed = c.temporary(packedBytes(n, k));
  c.call("packWeights", [packed, weights, n, 1, k, 1, 0, n]);
  const scratch = c.scratch(gemmScratchBytes(c.maximum(rows), k));
  c.emit("gemm", [dx, n, dy, k, packed, NONE, scratch, n, k, -Infinity, Infinity], rows, macsOf(g));
}

/** Over dy, or onto the gradient that there is, where nothing else needs that. */
function spatialInput(unit: Unit, c: Lowering, g: Geometry, weights: Address): void {
  const [dy, , , sum = "", mask = ""] = unit.inputs as [string, string, string?, string?, string?];
  const window = slideOf(g, groupChannels(g));
  const packed = packedInput(c, window, weights);
  const from = c.input(dy);
  const known = sum === "" ? undefined : c.input(sum);
  const to = c.output(unit.outputs[0]!, known ? sum : dy);
  const adds = known?.buffer === to.buffer;
  const scratch = c.scratch(convInputGradientScratchBytes(window, adds));
  const bits = mask === "" ? NONE : c.input(mask);
  const operands = [to, from, bits, packed, scratch, c.data(windowWords(window)), adds ? 1 : 0] as const;
  c.emit("convInputGradient", operands, g.batch, macsOf(g));
  if (known && !adds) add(c, to, known, to, countOf(shapeOf(unit.node)));
}

/** The weights of one group, packed for an ordinary convolution of dy for each phase of the strides. */
function packedInput(c: Lowering, window: Slide, weights: Address): Address {
  const packed = c.temporary(packedConvTransposeBytes(window));
  c.call("packConvTranspose", [packed, weights, c.data(windowWords(window))]);
  return packed;
}

function groupedInput(c: Lowering, g: Geometry, dx: Address, dy: Address, weights: Address): void {
  const window = slideOf(g, groupChannels(g));
  const { cin, cout } = window;
  for (let i = 0; i < g.groups; i++) {
    const packed = packedInput(c, window, behind(weights, i * cout * cin * g.taps * 4));
    const scratch = c.scratch(convTransposeScratchBytes(window, c.maximum(g.batch)));
    const [to, from] = [behind(dx, i * cin * 4), behind(dy, i * cout * 4)];
    const operands = [to, from, packed, NONE, scratch, c.data(windowWords(window))] as const;
    const rows = multiplyDims(g.batch, g.inH);
    c.emit("convTranspose", [...operands, -Infinity, Infinity], rows, groupMacs(g));
  }
}

function depthwiseInput(c: Lowering, g: Geometry, dx: Address, dy: Address, weights: Address): void {
  const window = c.data(windowWords(slideOf(g, g.channels)));
  const packed = c.temporary(packedDepthwiseBytes(g.channels, g.taps));
  c.call("packDepthwiseTranspose", [packed, weights, window]);
  const operands = [dx, dy, packed, NONE, c.scratch(WINDOW_BYTES), window] as const;
  const rows = multiplyDims(g.batch, g.inH);
  c.emit("depthwiseTranspose", [...operands, -Infinity, Infinity], rows, macsOf(g));
}

/** Scale and zero point of x where it is codes. */
const codesOf = (node: Node) => [numberOf(node, "x_scale", 1), numberOf(node, "x_zero", 0)] as const;

/** dw of y = conv(x, w): inputs dy, x; `shape` is that of w. */
export const convWeightGradient: Op = {
  infer: gradientOf,
  sums: true,
  layout: () => ({ inputs: ["channelsLast", "channelsLast"], outputs: ["plain"] }),
  lower(unit, c) {
    const [dy, x] = unit.inputs as [string, string];
    const shape = shapeOf(unit.node) as number[];
    const g = geometry(unit.node, c.type(x).shape, shape);
    const isCoded = c.type(x).dtype !== "f32";
    const size = isCoded ? 1 : 4;
    const [to, y, from] = [c.output(unit.outputs[0]!), c.input(dy), c.input(x)];
    const coded = [isCoded ? 1 : 0, ...codesOf(unit.node)] as const;
    if (isDepthwise(g)) {
      const window = slideOf(g, g.channels);
      const scratch = c.scratch(depthwiseWeightGradientScratchBytes(window));
      const args = [to, y, from, scratch, g.batch, c.data(windowWords(window)), ...coded] as const;
      return c.emit("depthwiseWeightGradient", args, g.channels, macsOf(g));
    }
    const window = slideOf(g, groupChannels(g));
    const [cin, cout] = [g.channels / g.groups, g.outChannels / g.groups];
    for (let i = 0; i < g.groups; i++) {
      const dw = behind(to, i * cout * cin * g.taps * 4);
      const [dyg, xg] = [behind(y, i * cout * 4), behind(from, i * cin * size)];
      if (isPointwise(g)) {
        productWeights(c, {
          dw,
          dy: dyg,
          x: xg,
          rows: multiplyDims(g.batch, g.outH * g.outW),
          n: cout,
          k: cin,
          strideN: cin,
          strideK: 1,
          coded,
        });
        continue;
      }
      const scratch = c.scratch(convWeightGradientScratchBytes(window));
      const operands = [dw, dyg, xg, scratch, g.batch, c.data(windowWords(window))] as const;
      c.emit("convWeightGradient", [...operands, ...coded], cout, groupMacs(g));
    }
  },
};

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
  readonly coded: readonly [isCoded: 0 | 1, scale: number, zero: number];
}

/** dw[n][k] = Σ_rows dy[row][n] · x[row][k]. */
function productWeights(c: Lowering, p: ProductWeights): void {
  const { dw, dy, x, rows, n, k, strideN, strideK, coded } = p;
  const scratch = c.scratch(productWeightGradientScratchBytes(c.maximum(rows), n, k));
  const args = [dw, dy, n, x, k, scratch, rows, n, k, strideN, strideK, ...coded] as const;
  c.emit("productWeightGradient", args, n, multiplyDims(rows, n * k));
}

/** dx of y = x · W: inputs dy, w, scales of its codes or "", a gradient to add to or ""; attributes transB and `shape`, that of x. */
export const productInputGradient: Op = {
  infer: gradientOf,
  rows: true,
  lower(unit, c) {
    const [dy, w] = unit.inputs as [string, string];
    const isTransposed = numberOf(unit.node, "transB", 0) === 1;
    const [rows, cols] = c.type(w).shape as [number, number];
    const [n, k] = isTransposed ? [cols, rows] : [rows, cols];
    const real = realWeights(unit, c, isTransposed ? 0 : 1);
    const packed = c.temporary(packedBytes(n, k));
    const [strideN, strideC] = isTransposed ? [1, n] : [k, 1];
    c.call("packWeights", [packed, real, n, 1, k, strideN, 0, strideC]);
    const count = countOf(c.type(dy).shape.slice(0, -1));
    const scratch = c.scratch(gemmScratchBytes(c.maximum(count), k));
    const from = c.input(dy);
    summed(unit, c, (dx) => {
      const args = [dx, n, from, k, packed, NONE, scratch, n, k, -Infinity, Infinity] as const;
      c.emit("gemm", args, count, multiplyDims(count, n * k));
    });
  },
};

/** dw of y = x · W: inputs dy, x; attributes transB and `shape`, that of w. */
export const productWeightGradient: Op = {
  infer: gradientOf,
  sums: true,
  lower(unit, c) {
    const [dy, x] = unit.inputs as [string, string];
    const isTransposed = numberOf(unit.node, "transB", 0) === 1;
    const [rows, cols] = shapeOf(unit.node) as [number, number];
    const [n, k] = isTransposed ? [rows, cols] : [cols, rows];
    const [strideN, strideK] = isTransposed ? [k, 1] : [1, n];
    productWeights(c, {
      dw: c.output(unit.outputs[0]!),
      dy: c.input(dy),
      x: c.input(x),
      rows: countOf(c.type(dy).shape.slice(0, -1)),
      n,
      k,
      strideN,
      strideK,
      coded: [c.type(x).dtype !== "f32" ? 1 : 0, ...codesOf(unit.node)],
    });
  },
};

/** db[c] = Σ dy over all but its channels: axis 1 of an image, else the last. */
export const biasGradient: Op = {
  infer: gradientOf,
  sums: true,
  layout: (node, [dy = "plain"]) => ({
    inputs: [numberOf(node, "axis", -1) === 1 ? "channelsLast" : dy],
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

/** ds[c] = Σ dw · code over a channel of `axis`: inputs dw, codes. */
export const scaleGradient: Op = {
  infer: (node, inputs) => [{ dtype: "f32", shape: [inputs[0]!.shape[numberOf(node, "axis", 0)]!] }],
  lower(unit, c) {
    const [dw, codes] = unit.inputs as [string, string];
    const at = weightsAt(c, codes);
    const { outer, channels, inner } = channelsOf(
      c.type(dw).shape as number[],
      numberOf(unit.node, "axis", 0),
    );
    c.emit("scaleGradient", [c.output(unit.outputs[0]!), c.input(dw), at, outer, channels, inner], channels);
  },
};
