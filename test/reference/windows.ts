// Geometry of convolution and pooling over any number of spatial dimensions: which input elements each output
// element sees, as one table. Kernel positions are in row-major order, which for two dimensions is (ky, kx).

import type { Node } from "../../src/graph/graph";
import { allocate, sizeOf, type Tensor, type TypedArray } from "../../src/graph/tensor";
import { fail, listAttribute, numberAttribute, stringAttribute } from "./node";

/** A tap that lies in the padding. */
export const PADDING = -1;
/** A tap beyond the padding, which only ceil_mode makes. */
export const OUTSIDE = -2;

export interface Windows {
  /** Spatial shape of the output. */
  readonly shape: readonly number[];
  /** Kernel positions, and output positions. */
  readonly taps: number;
  readonly positions: number;
  /** [positions][taps]: the input's spatial index, PADDING or OUTSIDE. */
  readonly table: Int32Array;
}

interface Axis {
  readonly size: number;
  /** [size][kernel] indices along this axis, PADDING or OUTSIDE. */
  readonly taps: readonly (readonly number[])[];
}

/** The windows of a node over an input of `spatial` dimensions. */
export function windowsOf(node: Node, spatial: readonly number[], kernel: readonly number[]): Windows {
  const rank = spatial.length;
  const strides = listAttribute(node, "strides") ?? spatial.map(() => 1);
  const dilations = listAttribute(node, "dilations") ?? spatial.map(() => 1);
  const pads = listAttribute(node, "pads") ?? spatial.flatMap(() => [0, 0]);
  if (
    kernel.length !== rank ||
    strides.length !== rank ||
    dilations.length !== rank ||
    pads.length !== 2 * rank
  )
    fail(node, `kernel, strides, dilations and pads do not fit ${rank} spatial dimensions`);
  const axes = spatial.map((size, d) =>
    axisWindows(node, size, kernel[d]!, strides[d]!, dilations[d]!, pads[d]!, pads[d + rank]!),
  );
  let [positions, taps] = [1, 1];
  let table = Int32Array.of(0);
  axes.forEach((axis, d) => {
    const k = kernel[d]!;
    const next = new Int32Array(table.length * axis.size * k);
    for (let p = 0; p < positions; p++)
      for (let o = 0; o < axis.size; o++)
        for (let t = 0; t < taps; t++)
          for (let u = 0; u < k; u++) {
            const [before, here] = [table[p * taps + t]!, axis.taps[o]![u]!];
            const at = before < 0 || here < 0 ? Math.min(before, here, PADDING) : before * spatial[d]! + here;
            next[((p * axis.size + o) * taps + t) * k + u] = at;
          }
    table = next;
    positions *= axis.size;
    taps *= k;
  });
  return { shape: axes.map((axis) => axis.size), taps, positions, table };
}

function axisWindows(
  node: Node,
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  padBegin: number,
  padEnd: number,
): Axis {
  const reach = (kernel - 1) * dilation + 1;
  const autoPad = stringAttribute(node, "auto_pad", "NOTSET");
  let [begin, end] = autoPad === "VALID" ? [0, 0] : [padBegin, padEnd];
  if (autoPad.startsWith("SAME")) {
    const total = Math.max((Math.ceil(size / stride) - 1) * stride + reach - size, 0);
    begin = autoPad === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
    end = total - begin;
  }
  const ceil = numberAttribute(node, "ceil_mode", 0) !== 0;
  const steps = (size + begin + end - reach) / stride;
  let outputs = Math.max(0, (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1);
  // A last window that would start beyond the input and its first padding is left out.
  if (ceil && (outputs - 1) * stride >= size + begin) outputs--;
  const taps = Array.from({ length: outputs }, (_, o) =>
    Array.from({ length: kernel }, (_, k) => {
      const at = o * stride - begin + k * dilation;
      return at >= size + end ? OUTSIDE : at < 0 || at >= size ? PADDING : at;
    }),
  );
  return { size: outputs, taps };
}

/**
 * Calls `visit` once for each image, group and output position with the patch of x [n, groups·channels, spatial…]
 * it sees: [tap][channel], padding taps read as `padding`. The patch is overwritten by the next call.
 */
export function eachPatch(
  x: Tensor,
  windows: Windows,
  groups: number,
  padding: number,
  visit: (patch: TypedArray, image: number, group: number, position: number) => void,
): void {
  const [images = 0, allChannels = 0, ...spatial] = x.shape;
  const channels = allChannels / groups;
  const pixels = sizeOf(spatial);
  const { taps, positions, table } = windows;
  // A patch holds the padding too, which for i8 codes with a u8 zero point would not fit their own array.
  const patch = allocate(x.dtype === "f32" ? "f32" : "i32", taps * channels);
  for (let image = 0; image < images; image++)
    for (let group = 0; group < groups; group++) {
      const start = (image * groups + group) * channels * pixels;
      for (let position = 0; position < positions; position++) {
        for (let tap = 0; tap < taps; tap++) {
          const at = table[position * taps + tap]!;
          for (let c = 0; c < channels; c++)
            patch[tap * channels + c] = at < 0 ? padding : x.data[start + c * pixels + at]!;
        }
        visit(patch, image, group, position);
      }
    }
}

/** Weights [outputs, channels, kernel…] as [outputs][tap][channel], the order of a patch. */
export function tapMajor(w: Tensor): TypedArray {
  const [outputs = 0, channels = 0, ...kernel] = w.shape;
  const taps = sizeOf(kernel);
  const data = allocate(w.dtype, w.data.length);
  for (let o = 0; o < outputs; o++)
    for (let c = 0; c < channels; c++)
      for (let tap = 0; tap < taps; tap++)
        data[(o * taps + tap) * channels + c] = w.data[(o * channels + c) * taps + tap]!;
  return data;
}
