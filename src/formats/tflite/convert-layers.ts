// Operators that sum products with weights. TFLite has the channels of images and weights last: [n, h, w, c] and [o, h, w, i].

import type { Attribute } from "../../graph/graph";
import { tensor as tensorOf } from "../../graph/tensor";
import { kindOf } from "./elements";
import type { Conversions, OperatorSource } from "./source";

/** Ids of options in the schema. */
const CONV = { padding: 0, strideW: 1, strideH: 2, activation: 3, dilationW: 4, dilationH: 5 };
const DEPTHWISE = { padding: 0, strideW: 1, strideH: 2, activation: 4, dilationW: 5, dilationH: 6 };
const VOLUME = {
  padding: 0,
  strideD: 1,
  strideW: 2,
  strideH: 3,
  activation: 4,
  dilationD: 5,
  dilationW: 6,
  dilationH: 7,
};
const DENSE = { activation: 0, format: 1, keepsDims: 2 };
const MATMUL = { turnsX: 0, turnsY: 1 };

/** Weights [o, h, w, i] and [1, h, w, o] with outputs first and the kernel last. */
const OHWI = [0, 3, 1, 2];
const HWO = [3, 0, 1, 2];
/** Volumes [n, d, h, w, c] with their channels first, and back, and weights [d, h, w, i, o] with outputs first. */
const VOLUME_FIRST = [0, 4, 1, 2, 3];
const VOLUME_LAST = [0, 2, 3, 4, 1];
const OIDHW = [4, 3, 0, 1, 2];

/** Enum Padding. */
const SAME = 0;

/**
 * Pads of a window along the axes of an image: TFLite's SAME is ONNX's SAME_UPPER. Where a window is smaller than its stride by more than one
 * pixel, it is told in numbers, since a runtime may begin elsewhere.
 */
export function paddingOf(
  source: OperatorSource,
  padding: number,
  extents: readonly number[],
  strides: readonly number[],
): Readonly<Record<string, Attribute>> {
  if (padding !== SAME) return {};
  if (extents.every((extent, i) => strides[i]! <= extent + 1)) return { auto_pad: "SAME_UPPER" };
  const sizes = source.tensor(0).shape.slice(1, -1);
  if (sizes.includes(-1)) throw source.error("a stride beyond the window, over an image of open size");
  const totals = sizes.map((size, i) =>
    Math.max(0, (Math.ceil(size / strides[i]!) - 1) * strides[i]! + extents[i]! - size),
  );
  return { pads: [...totals.map((total) => total >> 1), ...totals.map((total) => total - (total >> 1))] };
}

/** The bias of a layer, where it has one. As int32 it is in units of the layer's sums, whatever scale the file gives it. */
export function biasOf(source: OperatorSource, i: number, x: number, w: number): string[] {
  if (!source.has(i)) return [];
  const [bias, input, weights] = [source.tensor(i), source.tensor(x), source.tensor(w)];
  const kind = kindOf(bias);
  if ((kind !== "i32" && kind !== "i64") || !input.quantization || !weights.quantization)
    return [source.real(i)];
  const [sx] = input.quantization.scale;
  const scales = Float32Array.from(weights.quantization.scale, (sw) => Math.fround(sx! * sw));
  const isOne = scales.length === 1;
  const scale = source.values.hold(
    `${bias.name}_scale`,
    tensorOf("f32", isOne ? [] : [scales.length], scales),
  );
  return [source.add("DequantizeLinear", [source.real(i), scale], isOne ? {} : { axis: 0 })];
}

/** Whether the input is real numbers and the weights are codes: dynamic range. */
const isHybrid = (source: OperatorSource): boolean => {
  const [x, w] = [source.tensor(0), source.tensor(1)];
  return !x.quantization && w.quantization !== undefined && kindOf(w) === "i8" && source.isKnown(1);
};

/**
 * The input of a layer, rounded to codes of a range that is found at run time where the weights are codes: as XNNPACK has it, one range for
 * every row of a product, and one for all that a window slides over.
 */
function ranged(source: OperatorSource, x: string, isRows: boolean): string {
  if (!isHybrid(source)) return x;
  const made = source.values.push("DynamicQuantize", source.name, [x], isRows ? { axis: -1 } : {}, 3);
  return source.add("DequantizeLinear", made);
}

/** A convolution of single pixels whose input gets ranges at run time is the product that XNNPACK makes of it. */
function pointwise(source: OperatorSource): string {
  const w = source.values.matrix(source.tensor(1));
  return source.add("Linear", [ranged(source, source.real(0), true), w, ...biasOf(source, 2, 0, 1)]);
}

function convolution(source: OperatorSource, isDepthwise: boolean): void {
  const { options } = source;
  const ids = isDepthwise ? DEPTHWISE : CONV;
  const [, kh = 0, kw = 0, last = 0] = source.tensor(1).shape;
  const strides = [options.int(ids.strideH), options.int(ids.strideW)];
  const dilations = [options.int(ids.dilationH, 1), options.int(ids.dilationW, 1)];
  const extents = [kh, kw].map((size, i) => (size - 1) * dilations[i]! + 1);
  const channels = source.tensor(0).shape[3] ?? 0;
  const isPointwise = !isDepthwise && [...extents, ...strides].every((n) => n === 1) && channels === last;
  if (isPointwise && isHybrid(source))
    return source.end(source.activated(pointwise(source), options.byte(ids.activation)));
  const attributes = {
    strides,
    dilations,
    group: isDepthwise ? channels : channels / last,
    ...paddingOf(source, options.byte(ids.padding), extents, strides),
  };
  const w = source.add("Transpose", [source.real(1)], { perm: isDepthwise ? HWO : OHWI });
  const inputs = [ranged(source, source.real(0, "first"), false), w, ...biasOf(source, 2, 0, 1)];
  const y = source.add("Conv", inputs, attributes);
  source.end(source.activated(y, options.byte(ids.activation)), "first");
}

function convolveVolume(source: OperatorSource): void {
  const { options } = source;
  const kernel = source.tensor(1).shape.slice(0, 3);
  const strides = [VOLUME.strideD, VOLUME.strideH, VOLUME.strideW].map((id) => options.int(id));
  const dilations = [VOLUME.dilationD, VOLUME.dilationH, VOLUME.dilationW].map((id) => options.int(id, 1));
  const extents = kernel.map((size, i) => (size - 1) * dilations[i]! + 1);
  const x = source.add("Transpose", [source.real(0)], { perm: VOLUME_FIRST });
  const w = source.add("Transpose", [source.real(1)], { perm: OIDHW });
  const group = (source.tensor(0).shape[4] ?? 0) / (source.tensor(1).shape[3] ?? 0);
  const padding = paddingOf(source, options.byte(VOLUME.padding), extents, strides);
  const y = source.add("Conv", [x, w, ...biasOf(source, 2, 0, 1)], { strides, dilations, group, ...padding });
  const made = source.activated(y, options.byte(VOLUME.activation));
  source.end(source.add("Transpose", [made], { perm: VOLUME_LAST }));
}

/** Rows times weights that are no constants of the file, as those that it reads of half floats. */
function product(source: OperatorSource, x: string, w: string, bias: readonly string[]): string {
  const turned = source.add("Transpose", [w], { perm: [1, 0] });
  const y = source.add("MatMul", [x, turned]);
  return bias.length > 0 ? source.add("Add", [y, ...bias]) : y;
}

function fullyConnected(source: OperatorSource): void {
  const { options } = source;
  if (options.byte(DENSE.format) !== 0) throw source.error("its weights are shuffled");
  const [, k = 0] = source.tensor(1).shape;
  const x = source.real(0);
  const keeps = options.bool(DENSE.keepsDims) || source.rank(0) === 2;
  const rows = keeps ? x : source.add("Reshape", [x], { shape: [-1, k] });
  const [w, bias] = [source.real(1), biasOf(source, 2, 0, 1)];
  const y = source.isKnown(1)
    ? source.add("Linear", [ranged(source, rows, true), w, ...bias])
    : product(source, rows, w, bias);
  source.end(source.activated(y, options.byte(DENSE.activation)));
}

/** The transpose of a convolution: its pads are those of the convolution from its output to its input. */
function transposeConv(source: OperatorSource): void {
  const { options } = source;
  const [, outH = 0, outW = 0] = source.numbers(0, "the output's shape");
  const [, kh = 0, kw = 0] = source.tensor(1).shape;
  const [, inH = 0, inW = 0] = source.tensor(2).shape;
  const strides = [options.int(CONV.strideH), options.int(CONV.strideW)];
  const isSame = options.byte(CONV.padding) === SAME;
  const kernel = [kh, kw];
  const room = [inH, inW].map((size, i) => (size - 1) * strides[i]! + kernel[i]! - [outH, outW][i]!);
  const begins = room.map((total) => (isSame ? Math.max(0, total) >> 1 : 0));
  const ends = room.map((total, i) => total - begins[i]!);
  const attributes = {
    strides,
    pads: [...begins, ...ends.map((end) => Math.max(0, end))],
    output_padding: ends.map((end) => Math.max(0, -end)),
  };
  const w = source.add("Transpose", [source.real(1)], { perm: OHWI });
  const inputs = [source.real(2, "first"), w, ...biasOf(source, 3, 2, 1)];
  const y = source.add("ConvTranspose", inputs, attributes);
  source.end(source.activated(y, options.byte(CONV.activation)), "first");
}

function batchMatMul(source: OperatorSource): void {
  const { options } = source;
  const operand = (i: number, isTurned: boolean) => {
    const rank = source.rank(i);
    if (!isTurned) return source.real(i);
    const perm = Array.from({ length: rank }, (_, axis) => axis);
    [perm[rank - 2], perm[rank - 1]] = [rank - 1, rank - 2];
    return source.add("Transpose", [source.real(i)], { perm });
  };
  const inputs = [operand(0, options.bool(MATMUL.turnsX)), operand(1, options.bool(MATMUL.turnsY))];
  source.end(source.add("MatMul", inputs));
}

export const layers: Conversions = {
  BATCH_MATMUL: batchMatMul,
  CONV_2D: (source) => convolution(source, false),
  CONV_3D: convolveVolume,
  DEPTHWISE_CONV_2D: (source) => convolution(source, true),
  FULLY_CONNECTED: fullyConnected,
  TRANSPOSE_CONV: transposeConv,
};
