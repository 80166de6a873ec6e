// Geometry of what slides a window over channels-last images: convolutions and poolings. One spatial dimension is an
// image one pixel high.

import { Window as Slide } from "../../assembly/lanes/window";
import { OctetteError } from "../errors";
import type { Node, ValueType } from "../graph/graph";
import {
  addDims,
  ceilDims,
  type Dim,
  floorDims,
  formatShape,
  maxDims,
  minDims,
  multiplyDims,
  type Shape,
  subtractDims,
} from "../graph/symbols";
import { numberOf, numbersOf, opError, stringOf } from "./op";
import { sizesIn } from "./sizes";

/** Sizes are numbers, or dimensions over symbols where only a type is asked for. */
export interface Window<Size extends Dim = number> {
  readonly batch: Dim;
  readonly channels: Size;
  readonly inH: Size;
  readonly inW: Size;
  readonly outH: Size;
  readonly outW: Size;
  readonly kh: Size;
  readonly kw: Size;
  readonly strideH: number;
  readonly strideW: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly padTop: Size;
  readonly padLeft: Size;
  /** Rows and columns from the image's first to the padding's last. */
  readonly coverH: Size;
  readonly coverW: Size;
  /** Axes outside of rows: there are kernels for them in the group windows alone. */
  readonly outer: readonly Axis<Size>[];
  /** Output spatial dimensions as the op's own rank has them. */
  readonly outSpatial: readonly Size[];
}

/** How a window moves along one axis. */
export interface Axis<Size extends Dim = number> {
  readonly size: Size;
  readonly out: Size;
  readonly kernel: Size;
  readonly stride: number;
  readonly dilation: number;
  readonly begin: Size;
  /** From the first pixel to the padding's last. */
  readonly cover: Size;
}

export const POINT: Axis = { size: 1, out: 1, kernel: 1, stride: 1, dilation: 1, begin: 0, cover: 1 };

/** Largest stride, dilation, pad and extent of a window: kernels count in 32 bits. */
export const MAX_WINDOW = 2 ** 24;

const AUTO_PAD = /^(NOTSET|VALID|SAME_(UPPER|LOWER))$/;

/** What `windowOf` reads of a node, and the kernel's own size. */
export const windowAttributes: readonly string[] = [
  "auto_pad",
  "ceil_mode",
  "dilations",
  "kernel_shape",
  "pads",
  "strides",
];

/** As `windowDims`, in numbers. Throws SizesNeeded where the image's size is not known. */
export const windowOf = (node: Node, x: ValueType, kernel: readonly Dim[]): Window =>
  numbered(node, x, windowDims(node, x, kernel));

/** A window whose sizes are numbers. Throws SizesNeeded where one is not known. */
export function numbered<W extends Window<Dim>>(node: Node, x: ValueType, w: W): W & Window {
  sizesIn(`${node.op} "${node.name}"`, x.shape.slice(1));
  return w as W & Window;
}

/** Resolves strides, dilations, pads, auto_pad and ceil_mode of a node over input `x`. ONNX Conv, MaxPool, AveragePool. */
export function windowDims(node: Node, x: ValueType, kernel: readonly Dim[]): Window<Dim> {
  const spatialRank = x.shape.length - 2;
  if (spatialRank < 1 || kernel.length !== spatialRank)
    throw opError(node, "its input has no image, or the kernel another rank", {
      expected: "x [n, c, spatial…] and a kernel of the same rank",
      got: `x ${formatShape(x.shape)}, kernel ${formatShape(kernel)}`,
    });
  const [batch, channels, ...spatial] = x.shape as [Dim, Dim, ...Dim[]];
  const ones = spatial.map(() => 1);
  const strides = numbersOf(node, "strides", ones);
  const dilations = numbersOf(node, "dilations", ones);
  const pads = numbersOf(
    node,
    "pads",
    [...ones, ...ones].map(() => 0),
  );
  const autoPad = stringOf(node, "auto_pad", "NOTSET");
  if (!AUTO_PAD.test(autoPad)) throw opError(node, "auto_pad is unknown", { got: autoPad });
  const ceil = numberOf(node, "ceil_mode", 0) === 1;
  if (strides.length !== spatialRank || dilations.length !== spatialRank || pads.length !== 2 * spatialRank)
    throw opError(node, "strides, dilations and pads do not fit the input's rank", {
      got: formatShape(x.shape),
    });
  const isWhole = (n: Dim) => typeof n === "string" || (Number.isInteger(n) && n <= MAX_WINDOW);
  const numbers = [...kernel, ...strides, ...dilations, ...pads, ...spatial];
  if (!numbers.every(isWhole))
    throw opError(node, "kernel, strides, dilations, pads and image must be whole numbers", {
      expected: `at most MAX_WINDOW = ${MAX_WINDOW}`,
      got: `${numbers.find((n) => !isWhole(n))}`,
    });
  const isBelow = (dim: Dim, least: number) => typeof dim === "number" && dim < least;
  const axes = spatial.map((size, i): Axis<Dim> => {
    const own = { size, kernel: kernel[i]!, stride: strides[i]!, dilation: dilations[i]! };
    const extent = addDims(multiplyDims(addDims(own.kernel, -1), own.dilation), 1);
    const { stride } = own;
    if (isBelow(own.kernel, 1) || stride < 1 || own.dilation < 1)
      throw opError(node, "kernel, strides and dilations must be positive");
    if (autoPad.startsWith("SAME")) {
      const out = ceilDims(size, stride);
      const needed = subtractDims(addDims(multiplyDims(addDims(out, -1), stride), extent), size);
      // Runtimes differ on where windows begin that leave out more than one pixel.
      if (isBelow(needed, -1))
        throw opError(node, `auto_pad ${autoPad} would be below 0`, { hint: "Export explicit pads" });
      const total = maxDims(0, needed);
      const begin = autoPad === "SAME_UPPER" ? floorDims(total, 2) : ceilDims(total, 2);
      return { ...own, out, begin, cover: subtractDims(addDims(size, total), begin) };
    }
    const begin = autoPad === "VALID" ? 0 : pads[i]!;
    const end = autoPad === "VALID" ? 0 : pads[i + spatialRank]!;
    const padded = addDims(size, begin + end);
    const room = subtractDims(padded, extent);
    // With ceil_mode, a window may reach beyond the padding, by less than its stride.
    const beyond = ceil ? stride - 1 : 0;
    if (isBelow(room, -beyond) || begin < 0 || end < 0)
      throw opError(node, "the window does not fit into the padded input", {
        expected: `at least ${addDims(extent, -beyond)} along spatial axis ${i}`,
        got: `${padded}`,
      });
    // With ceil_mode, the last window still begins in the image or the padding before it.
    const out = ceil
      ? minDims(addDims(ceilDims(room, stride), 1), ceilDims(addDims(size, begin), stride))
      : addDims(floorDims(room, stride), 1);
    return { ...own, out, begin, cover: addDims(size, end) };
  });
  const [high, wide] = (spatialRank > 1 ? axes.slice(-2) : [POINT, axes[0]]) as [Axis<Dim>, Axis<Dim>];
  return {
    batch,
    channels,
    inH: high.size,
    inW: wide.size,
    outH: high.out,
    outW: wide.out,
    kh: high.kernel,
    kw: wide.kernel,
    strideH: high.stride,
    strideW: wide.stride,
    dilationH: high.dilation,
    dilationW: wide.dilation,
    padTop: high.begin,
    padLeft: wide.begin,
    coverH: high.cover,
    coverW: wide.cover,
    outer: axes.slice(0, -2),
    outSpatial: axes.map(({ out }) => out),
  };
}

/** Channels of both images that count, and elements from one pixel to the next. */
export type Channels = Pick<Slide, "cin" | "ldx" | "cout" | "ldy">;

/** What of a window is the same for each image and channel; nothing lies outside of rows. */
type Slid = Omit<Window, "batch" | "channels" | "outSpatial" | "coverH" | "coverW" | "outer"> & {
  readonly outer?: readonly unknown[];
};

/** A window as kernels take it; a number of channels is that of two dense images. */
export function slideOf({ outer = [], ...w }: Slid, channels: number | Channels, outside = 0): Slide {
  if (outer.length > 0)
    throw new OctetteError("no kernels for images of more than two dimensions", {
      code: "unsupported",
      where: "window",
      hint: "Import it with importOnnx",
    });
  const own =
    typeof channels === "number" ? { cin: channels, ldx: channels, cout: channels, ldy: channels } : channels;
  const lineY = w.outW * own.ldy;
  return { ...w, ...own, lineY, imageY: w.outH * lineY, coverH: 0, coverW: 0, outside };
}

/** Its fields in memory, in the struct's order. */
export const windowWords = (slide: Slide): Int32Array =>
  Int32Array.from(Object.keys(new Slide()) as (keyof Slide)[], (field) => slide[field]);

/** Type of a window op's output. */
export const windowType = (w: Window<Dim>, channels: Dim, dtype: ValueType["dtype"]): ValueType => ({
  dtype,
  shape: [w.batch, channels, ...w.outSpatial] as Shape,
});
