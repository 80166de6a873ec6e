// Gradients of convolutions: of their input and of their weights. Images are channels last.

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
} from "../../../assembly/train/sizes";
import type { Node } from "../../graph/graph";
import { countOf, type Dim, multiplyDims } from "../../graph/symbols";
import {
  type Geometry,
  geometryOf,
  groupChannels,
  groupMacs,
  isDepthwise,
  isPointwise,
  isSpatial,
  macsOf,
} from "../../ops/core/conv";
import { type Address, behind, type Lowering, NONE, type Op, type Unit } from "../../ops/op";
import { slideOf, windowWords } from "../../ops/window";
import {
  addTo,
  gradientTypes,
  imageGradient,
  inputCodes,
  productWeights,
  realWeights,
  shapeOf,
  summed,
} from "./layer-gradients";

/** The geometry of the convolution whose gradient this is. */
function geometry(node: Node, x: readonly Dim[], w: readonly Dim[]): Geometry {
  return geometryOf(node, { dtype: "f32", shape: x }, { dtype: "f32", shape: w });
}

/**
 * dx of y = conv(x, w): inputs dy, w, scales of its codes or "", a gradient to add to or "", of ungrouped windows a mask of dy
 * or ""; `shape` is that of x.
 */
export const convInputGradient = imageGradient((unit, c) => {
  const [dy, w] = unit.inputs as [string, string];
  const g = geometry(unit.node, shapeOf(unit.node), c.type(w).shape);
  const real = realWeights(unit, c);
  const from = c.input(dy);
  if (isDepthwise(g)) summed(unit, c, (to) => depthwiseInput(c, g, to, from, real));
  else if (isPointwise(g)) summed(unit, c, (to) => pointwiseInput(c, g, to, from, real));
  else if (isSpatial(g)) spatialInput(unit, c, g, real);
  else summed(unit, c, (to) => groupedInput(c, g, to, from, real));
});

/** dx = dy · W. */
function pointwiseInput(c: Lowering, g: Geometry, dx: Address, dy: Address, weights: Address): void {
  const rows = multiplyDims(g.batch, g.outH * g.outW);
  const [n, k] = [g.channels, g.outChannels];
  const packed = c.temporary(packedBytes(n, k));
  c.call("packWeights", [packed, weights, n, 1, k, 1, 0, n]);
  const scratch = c.scratch((most) => gemmScratchBytes(most(rows), k));
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
  if (known && !adds) addTo(c, to, known, to, countOf(shapeOf(unit.node)));
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
    const scratch = c.scratch((most) => convTransposeScratchBytes(window, most(g.batch)));
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

/** dw of y = conv(x, w): inputs dy, x and, of codes, scale and zero point; `shape` is that of w. */
export const convWeightGradient: Op = {
  infer: gradientTypes,
  sums: true,
  layout: () => ({ inputs: ["channelsLast", "channelsLast"], outputs: ["plain"] }),
  lower(unit, c) {
    const [dy, x] = unit.inputs as [string, string];
    const shape = shapeOf(unit.node) as number[];
    const g = geometry(unit.node, c.type(x).shape, shape);
    const coded = inputCodes(unit, c);
    const size = coded[0] === 1 ? 1 : 4;
    const [to, y, from] = [c.output(unit.outputs[0]!), c.input(dy), c.input(x)];
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
