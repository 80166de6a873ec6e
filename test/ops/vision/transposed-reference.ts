// The scalar reference of ConvTranspose, by its definition: every input pixel is added, times the kernel, to the output pixels
// that it reaches. Weights are [o, c/group, kernel…].

import type { Node } from "../../../src/graph/graph";
import { sizeOf, tensor } from "../../../src/graph/tensor";
import type { Codes, Sums } from "../../reference/integer";
import { listAttribute, numberAttribute, type Operator, stringAttribute } from "../../reference/node";
import type { Forward } from "../../reference/oracle";

interface Axis {
  readonly size: number;
  readonly kernel: number;
  readonly out: number;
  /** Where tap t of pixel p lands; it may be outside. */
  readonly at: (p: number, t: number) => number;
}

/** One axis by the rules of ONNX's operator. */
function axisOf(node: Node, i: number, size: number, kernel: number): Axis {
  const of = (name: string, otherwise: number) => listAttribute(node, name)?.[i] ?? otherwise;
  const [stride, dilation] = [of("strides", 1), of("dilations", 1)];
  const autoPad = stringAttribute(node, "auto_pad", "NOTSET");
  const whole = stride * (size - 1) + of("output_padding", 0) + (kernel - 1) * dilation + 1;
  const wanted = of("output_shape", autoPad.startsWith("SAME") ? size * stride : 0);
  const pads = listAttribute(node, "pads") ?? [];
  let [begin, end] = autoPad === "VALID" ? [0, 0] : [pads[i] ?? 0, pads[i + pads.length / 2] ?? 0];
  if (wanted > 0) {
    const total = Math.max(0, whole - wanted);
    begin = autoPad === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
    end = whole - wanted - begin;
  }
  return { size, kernel, out: whole - begin - end, at: (p, t) => stride * p + dilation * t - begin };
}

/** The output's shape, and for every input pixel and tap the output pixel that they reach; −1 outside. */
function reachOf(node: Node, x: readonly number[], w: readonly number[]) {
  const axes = x.slice(2).map((size, i) => axisOf(node, i, size, w[i + 2]!));
  let [reached, pixels, taps] = [[0], 1, 1];
  for (const { size, kernel, out, at } of axes) {
    const next: number[] = [];
    for (let p = 0; p < pixels; p++)
      for (let q = 0; q < size; q++)
        for (let t = 0; t < taps; t++)
          for (let u = 0; u < kernel; u++) {
            const [before, here] = [reached[p * taps + t]!, at(q, u)];
            next.push(before < 0 || here < 0 || here >= out ? -1 : before * out + here);
          }
    reached = next;
    pixels *= size;
    taps *= kernel;
  }
  return { shape: [x[0]!, w[0]!, ...axes.map(({ out }) => out)], reached, pixels, taps };
}

/** Calls `visit` for every product, by indices of x, w and y; returns the output's shape. */
export function eachProduct(
  node: Node,
  x: readonly number[],
  w: readonly number[],
  visit: (x: number, w: number, y: number) => void,
): number[] {
  const { shape, reached, pixels, taps } = reachOf(node, x, w);
  const [images, outputs, ...spatial] = shape as [number, number, ...number[]];
  const [channels, perGroup] = [x[1]!, w[1]!];
  const [own, places] = [outputs / numberAttribute(node, "group", 1), sizeOf(spatial)];
  for (let n = 0; n < images; n++)
    for (let c = 0; c < channels; c++) {
      const first = Math.floor(c / perGroup) * own;
      for (let o = first; o < first + own; o++) {
        const [from, kernel, to] = [n * channels + c, o * perGroup + (c % perGroup), n * outputs + o];
        for (let p = 0; p < pixels; p++)
          for (let t = 0; t < taps; t++) {
            const q = reached[p * taps + t]!;
            if (q >= 0) visit(from * pixels + p, kernel * taps + t, to * places + q);
          }
      }
    }
  return shape;
}

export const forward: Forward = (node, [x, w, b]) => {
  const { shape } = reachOf(node, x!.shape, w!.shape);
  const inner = sizeOf(shape.slice(2));
  const data = new Float64Array(sizeOf(shape)).map((_, i) => b?.data[Math.floor(i / inner) % shape[1]!] ?? 0);
  eachProduct(node, x!.shape, w!.shape, (i, j, q) => {
    data[q]! += x!.data[i]! * w!.data[j]!;
  });
  return [{ shape, data }];
};

export function sums(
  node: Node,
  { tensor: x, zeroPoint: zx }: Codes,
  { tensor: w, zeroPoint: zw }: Codes,
): Sums {
  const { shape } = reachOf(node, x.shape, w.shape);
  const data = new Float64Array(sizeOf(shape));
  const perOutput = sizeOf(w.shape.slice(1));
  eachProduct(node, x.shape, w.shape, (i, j, q) => {
    const zero = zw[zw.length === 1 ? 0 : Math.floor(j / perOutput)]!;
    data[q]! += (x.data[i]! - zx[0]!) * (w.data[j]! - zero);
  });
  return { shape, data, channels: shape[1]!, inner: sizeOf(shape.slice(2)) };
}

/** Weights [c, o/group, kernel…] as [o, c/group, kernel…]. */
export const turned: Operator = (node, [w]) => {
  const [channels = 0, own = 0, ...kernel] = w!.shape;
  const groups = numberAttribute(node, "group", 1);
  const [perGroup, taps] = [channels / groups, sizeOf(kernel)];
  const y = tensor(w!.dtype, [own * groups, perGroup, ...kernel], []);
  for (let i = 0; i < w!.data.length; i++) {
    const [c, o, t] = [Math.floor(i / (own * taps)), Math.floor(i / taps) % own, i % taps];
    const out = Math.floor(c / perGroup) * own + o;
    y.data[(out * perGroup + (c % perGroup)) * taps + t] = w!.data[i]!;
  }
  return y;
};
