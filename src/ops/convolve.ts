// Convolutions of images in memory, as steps: what Conv becomes, and each phase of a transposed one.

import { convScratchBytes, packedDepthwiseBytes } from "../../assembly/f32/sizes";
import {
  convInt8ScratchBytes,
  depthwiseInt8ScratchBytes,
  offsetInt8Bytes,
  packedDepthwiseInt8Bytes,
} from "../../assembly/int8/sizes";
import type { Window as Slide } from "../../assembly/lanes/window";
import { type Dim, multiplyDims } from "../graph/symbols";
import { bytesPerElement } from "../graph/tensor";
import { perTensor } from "./codes";
import {
  checkBias,
  checkSums,
  packWeights,
  packWeightsInt8,
  realBias,
  type WeightView,
  weightCodes,
} from "./dense";
import { dequantizing, type Finish, isPerRow, requantizing, summing } from "./epilogue";
import { type Address, behind, type Lowering, type NamedConstant, NONE, opError, type Unit } from "./op";
import { windowWords } from "./window";

/** A convolution of what lies in memory: weights [o][i/group][kernel…], and a bias. */
export interface Convolution {
  readonly batch: Dim;
  readonly groups: number;
  /** Over the channels of one group, within images of all; or over all of them, where it is `depthwise`. */
  readonly slide: Slide;
  readonly depthwise: boolean;
  readonly x: Address;
  readonly y: Address;
  readonly weights: Address;
  readonly bias: Address | typeof NONE;
}

/** What becomes of the sums of an integer layer. */
export interface LayerFinish {
  readonly finish: Finish;
  readonly bias: Address | typeof NONE;
  /** The code of real 0, and what sums of weights are multiplied with before they are added to the bias. */
  readonly zero: number;
  readonly z: number;
  /** Of an element of y. */
  readonly bytes: number;
}

/** Weights of one group, row by row. */
export const viewOf = ({ cin, cout, kh, kw }: Slide): Required<WeightView> => ({
  n: cout,
  rows: kh,
  taps: kw,
  channels: cin,
  strideN: cin * kh * kw,
  strideRow: kw,
  strideTap: 1,
  strideC: kh * kw,
});

/** Multiply-adds of one step. */
const stepMacs = (batch: Dim, { cin, cout, kh, kw, outH, outW }: Slide, depthwise: boolean): Dim =>
  multiplyDims(batch, outH * outW * kh * kw * cin * (depthwise ? 1 : cout));

/** y = clamp(Σ x·w + bias), f32: a step for each group of channels, or one for all. */
export function convolve(c: Lowering, layer: Convolution, clamp: Unit["clamp"]): void {
  const { batch, groups, slide, depthwise, x, y, weights, bias } = layer;
  const { cin, cout, kh, kw, outH, outW } = slide;
  const { lo = -Infinity, hi = Infinity } = clamp ?? {};
  const rows = multiplyDims(batch, outH);
  const macs = stepMacs(batch, slide, depthwise);
  const window = c.data(windowWords(slide));
  if (depthwise) {
    const packed = c.reserve(packedDepthwiseBytes(cin, kh * kw));
    c.load("packDepthwise", [packed, weights, cin, kh * kw]);
    return c.emit("depthwise", [y, x, packed, bias, window, lo, hi], rows, macs);
  }
  const view = { ...viewOf(slide), taps: kh * kw };
  const scratch = c.scratch((most) => convScratchBytes(most(rows), outW, kh, kw * cin));
  for (let i = 0; i < groups; i++) {
    const packed = packWeights(c, behind(weights, i * cout * view.strideN * 4), view);
    const b = bias === NONE ? NONE : behind(bias, i * cout * 4);
    const [xg, yg] = [behind(x, i * cin * 4), behind(y, i * cout * 4)];
    c.emit("conv", [yg, xg, packed, b, scratch, window, lo, hi], rows, macs);
  }
}

/** What an integer layer of `n` outputs makes of its sums. */
export function layerFinish(
  unit: Unit,
  c: Lowering,
  bias: NamedConstant | undefined,
  n: number,
): LayerFinish {
  const { node, integer } = unit;
  const { inputs, output } = integer!;
  const xq = inputs[0]?.dynamic ? inputs[0] : perTensor(inputs[0], node);
  if (isPerRow(c, xq))
    throw opError(node, "a convolution reads codes of one scale", { got: "one scale a row" });
  const wq = weightCodes(node, inputs[1], n);
  checkBias(node, bias, inputs[2], output);
  const bytes = bytesPerElement[c.type(unit.outputs[0]!).dtype];
  const zero = xq.zeroPoint[0] ?? 0;
  if (!output) {
    const finish = dequantizing(c, unit, xq, wq, n, realBias(bias, inputs[2], n));
    return { finish, bias: NONE, zero, z: 1, bytes };
  }
  const own = { bias: bias ? c.stage(bias) : NONE, zero, z: -zero, bytes };
  if (output.dtype !== "i32")
    return { finish: requantizing(c, unit, [xq, wq, perTensor(output, node)], n), ...own };
  checkSums(unit, perTensor(xq, node), wq, output, n);
  return { finish: summing(c), ...own };
}

/** The same over codes, whose depthwise kernel makes codes alone. */
export function convolveInt8(c: Lowering, layer: Convolution & LayerFinish): void {
  const { batch, groups, slide, depthwise, x, y, weights, bias, z, bytes } = layer;
  const { scale, addend, range, epilogue } = layer.finish;
  const { cin, cout } = slide;
  const rows = multiplyDims(batch, slide.outH);
  const macs = stepMacs(batch, slide, depthwise);
  const window = c.data(windowWords(slide));
  if (depthwise) {
    const packed = c.reserve(packedDepthwiseInt8Bytes(slide));
    const offset = c.reserve(offsetInt8Bytes(cin));
    // Weights are packed the same for images of all sizes.
    const own = c.stage(windowWords({ ...slide, inH: 0, inW: 0, outH: 0, outW: 0, lineY: 0, imageY: 0 }));
    c.load("packDepthwiseInt8", [packed, offset, weights, bias, z, own]);
    const scratch = c.scratch(depthwiseInt8ScratchBytes(slide));
    return c.emit("depthwiseInt8", [y, x, packed, offset, scale, scratch, window, epilogue], rows, macs);
  }
  const view = viewOf(slide);
  const scratch = c.scratch(convInt8ScratchBytes(slide));
  for (let i = 0; i < groups; i++) {
    const own = (at: Address | typeof NONE) => (at === NONE ? NONE : behind(at, i * cout * 4));
    const from = behind(weights, i * cout * view.strideN);
    const { packed, offset } = packWeightsInt8(c, from, view, own(bias), z);
    const [xg, yg] = [behind(x, i * cin), behind(y, i * cout * bytes)];
    const operands = [yg, xg, packed, offset, own(scale), own(addend), ...range] as const;
    c.emit("convInt8", [...operands, scratch, window, epilogue], rows, macs);
  }
}
