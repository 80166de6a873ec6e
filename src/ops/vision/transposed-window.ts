// Geometry of a transposed convolution, and its phases: output pixels that are equal modulo the stride meet the same taps, so each
// phase is a convolution of stride 1 with these taps in reverse (assembly/lanes/phase.ts).

import { firstOf, lastOf, phaseOf, stepOf } from "../../../assembly/lanes/phase";
import { Window as Slide } from "../../../assembly/lanes/window";
import type { Node, ValueType } from "../../graph/graph";
import {
  addDims,
  type Dim,
  floorDims,
  formatShape,
  maxDims,
  multiplyDims,
  subtractDims,
} from "../../graph/symbols";
import { sizeOf } from "../../graph/tensor";
import { numberOf, numbersOf, opError, stringOf } from "../op";
import { sizesIn } from "../sizes";
import { MAX_WINDOW, POINT, slideOf, type Axis as WindowAxis } from "../window";

/** Sizes are numbers, or dimensions over symbols where only a type is asked for. */
export interface Geometry<Size extends Dim = number> {
  readonly batch: Dim;
  readonly groups: number;
  readonly channels: number;
  readonly outChannels: number;
  readonly taps: number;
  readonly axes: readonly Axis<Size>[];
  /** Output spatial dimensions as the op's own rank has them. */
  readonly outSpatial: readonly Size[];
}

/** The attributes that `geometryOf` reads. */
export const geometryAttributes: readonly string[] = [
  "auto_pad",
  "dilations",
  "group",
  "kernel_shape",
  "output_padding",
  "output_shape",
  "pads",
  "strides",
];

export const isDepthwise = (g: Geometry): boolean =>
  g.groups > 1 && g.groups === g.channels && g.groups === g.outChannels;

/** The window over the channels of one group, within images of all; or over all of them, where they are `depthwise`. */
export function slideOver({ groups, channels, outChannels, axes }: Geometry, depthwise: boolean): Slide {
  const own = { cin: outChannels / groups, ldx: outChannels, cout: channels / groups, ldy: channels };
  const [high, wide] = (axes.length > 1 ? axes.slice(-2) : [POINT, axes[0]]) as [Axis, Axis];
  // The convolution from y to x that this is the transpose of.
  const window = {
    inH: high.out,
    inW: wide.out,
    outH: high.size,
    outW: wide.size,
    kh: high.kernel,
    kw: wide.kernel,
    strideH: high.stride,
    strideW: wide.stride,
    dilationH: high.dilation,
    dilationW: wide.dilation,
    padTop: high.begin,
    padLeft: wide.begin,
    outer: axes.slice(0, -2),
  };
  return slideOf(window, depthwise ? channels : own);
}

/** As `dimsOf`, in numbers. Throws SizesNeeded where the image's size is not known. */
export function geometryOf(node: Node, x: ValueType, w: ValueType): Geometry {
  sizesIn(`${node.op} "${node.name}"`, x.shape.slice(2));
  return dimsOf(node, x, w) as Geometry;
}

/** Resolves the attributes of a node over x [n, c, spatial…] with weights [o, c/group, kernel…]. */
export function dimsOf(node: Node, x: ValueType, w: ValueType): Geometry<Dim> {
  const rank = x.shape.length - 2;
  const got = `x ${formatShape(x.shape)}, weights ${formatShape(w.shape)}`;
  if (rank < 1 || w.shape.length !== x.shape.length)
    throw opError(node, "its input has no image, or the weights another rank", {
      expected: "x [n, c, spatial…] and weights of the same rank",
      got,
    });
  const [batch, channels, ...spatial] = x.shape as [Dim, number, ...Dim[]];
  sizesIn(`${node.op} "${node.name}"`, [channels, ...w.shape]);
  const [outChannels, perGroup, ...kernel] = w.shape as [number, number, ...number[]];
  const groups = numberOf(node, "group", 1);
  if (!Number.isInteger(groups) || groups < 1 || channels !== perGroup * groups || outChannels % groups !== 0)
    throw opError(node, "channels do not fit the weights", {
      expected: "x [n, c, …] and weights [o, c/group, …], o a multiple of group",
      got: `${got}, group ${groups}`,
    });
  const axes = axesOf(node, spatial, kernel);
  return {
    batch: batch!,
    groups,
    channels,
    outChannels,
    taps: sizeOf(kernel),
    axes,
    outSpatial: axes.map(({ out }) => out),
  };
}

/** `begin`: pixels left out before the first. */
export type Axis<Size extends Dim = number> = Omit<WindowAxis<Size>, "cover">;

const AUTO_PAD = ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"];

function axesOf(node: Node, spatial: readonly Dim[], kernel: readonly number[]): Axis<Dim>[] {
  const each = (value: number) => spatial.map(() => value);
  const named = numbersOf(node, "kernel_shape", kernel);
  if (`${named}` !== `${kernel}`)
    throw opError(node, "kernel_shape is not that of the weights", { got: formatShape(named) });
  const strides = numbersOf(node, "strides", each(1));
  const dilations = numbersOf(node, "dilations", each(1));
  const pads = numbersOf(node, "pads", [...each(0), ...each(0)]);
  const more = numbersOf(node, "output_padding", each(0));
  const wanted = numbersOf(node, "output_shape", []);
  const autoPad = stringOf(node, "auto_pad", "NOTSET");
  if (!AUTO_PAD.includes(autoPad))
    throw opError(node, "auto_pad is unknown", { expected: AUTO_PAD.join(", "), got: autoPad });
  const lists = [strides, dilations, more, ...(wanted.length > 0 ? [wanted] : [])];
  if (lists.some(({ length }) => length !== spatial.length) || pads.length !== 2 * spatial.length)
    throw opError(node, "its lists do not fit the input's rank", {
      expected: `${spatial.length} strides, dilations, output_padding and output_shape, ${2 * spatial.length} pads`,
    });
  const check = (sizes: readonly Dim[], least: number, what: string) => {
    const isWrong = (n: Dim) =>
      typeof n === "number" && !(Number.isInteger(n) && n >= least && n <= MAX_WINDOW);
    const wrong = sizes.find(isWrong);
    if (wrong === undefined) return;
    const expected = `whole numbers from ${least} to MAX_WINDOW = ${MAX_WINDOW}`;
    throw opError(node, `${what} do not fit`, { expected, got: `${wrong}` });
  };
  check([...spatial, ...kernel, ...strides, ...dilations], 1, "image, kernel, strides and dilations");
  check([...pads, ...more, ...wanted], 0, "pads, output_padding and output_shape");
  const axes = spatial.map((size, i): Axis<Dim> => {
    const [stride, dilation] = [strides[i]!, dilations[i]!];
    const beyond = more[i]! + (kernel[i]! - 1) * dilation + 1 - stride;
    const whole = addDims(multiplyDims(size, stride), beyond);
    const isSame = autoPad.startsWith("SAME");
    const isNamed = !isSame && wanted.length === 0 && autoPad !== "VALID";
    const left = isNamed ? pads[i]! + pads[i + spatial.length]! : 0;
    const out = wanted[i] ?? (isSame ? multiplyDims(size, stride) : addDims(whole, -left));
    // Runtimes differ on what is then the size.
    if (isSame && wanted.length === 0 && beyond < 0)
      throw opError(node, `auto_pad ${autoPad} would be below 0`, { hint: "Export explicit pads" });
    // Of an output_shape beyond all that is reached, the end holds the bias alone.
    const total = maxDims(0, subtractDims(whole, out));
    const smaller = floorDims(total, 2);
    const begin = isNamed ? pads[i]! : autoPad === "SAME_UPPER" ? smaller : subtractDims(total, smaller);
    return { size, out, kernel: kernel[i]!, stride, dilation, begin };
  });
  const sizesOf = (of: "out" | "begin") => axes.map((axis) => axis[of]);
  check(sizesOf("out"), 1, "sizes of the output");
  check(sizesOf("begin"), 0, "pads");
  return axes;
}

/** One phase: a convolution of stride 1 from x to some pixels of y. */
export interface Phase {
  readonly window: Slide;
  /** Elements of y before its first. */
  readonly at: number;
  /** The tap of the weights that is its first, and how far the next ones are in memory; both steps are below 0. */
  readonly firstTap: number;
  readonly stepRow: number;
  readonly stepTap: number;
}

/**
 * Phases along an axis, in their order: those that have pixels, those that meet taps and one that meets none. So all sizes pack the same
 * weights.
 */
function phasesAlong(size: number, taps: number, stride: number, dilation: number, pad: number): number[] {
  const met = new Set<number>();
  for (let tap = 0; tap < taps; tap++) met.add((((tap * dilation - pad) % stride) + stride) % stride);
  let none = 0;
  while (met.has(none)) none++;
  const there = Array.from({ length: Math.min(stride, size) }, (_, phase) => phase);
  const all = new Set([...met, ...there, ...(none < stride ? [none] : [])]);
  return [...all].sort((a, b) => a - b);
}

/** The phases of a window, one by one: a plan has no room for all that a stride may have. */
export function* phasesOf(slide: Slide): Generator<Phase> {
  const { kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft } = slide;
  const [stepH, stepW] = [stepOf(strideH, dilationH), stepOf(strideW, dilationW)];
  const columns = phasesAlong(slide.inW, kw, strideW, dilationW, padLeft);
  for (const py of phasesAlong(slide.inH, kh, strideH, dilationH, padTop))
    for (const px of columns) {
      const window = new Slide();
      const at = phaseOf(window, slide, py, px);
      const bottom = lastOf(firstOf(py, padTop, kh, strideH, dilationH), kh, stepH);
      const right = lastOf(firstOf(px, padLeft, kw, strideW, dilationW), kw, stepW);
      yield { window, at, firstTap: bottom * kw + right, stepRow: -stepH * kw, stepTap: -stepW };
    }
}
