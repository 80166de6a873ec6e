// Windows over volumes: an image is one slice deep, a row one line high.

import { Volume } from "../../../assembly/windows/window";
import type { Node } from "../../graph/graph";
import { type Dim, multiplyDims } from "../../graph/symbols";
import { type Address, type Lowering, numberOf, type Op, opError } from "../op";
import { type Axis, type Channels, POINT, type Window } from "../window";

export type { Volume };

/** The axis outside of rows and columns: a slice where there is none. */
function depthOf(node: Node, { outer }: Window): Axis {
  if (outer.length > 1)
    throw opError(node, "it has too many spatial dimensions", {
      expected: "at most 3",
      got: `${outer.length + 2}`,
    });
  return outer[0] ?? POINT;
}

/** A window as kernels take it, over channels of dense volumes. */
export function volumeOf(node: Node, w: Window, { cin, ldx, cout, ldy }: Channels): Volume {
  const depth = depthOf(node, w);
  const lineY = w.outW * ldy;
  const sliceY = w.outH * lineY;
  return {
    inD: depth.size,
    inH: w.inH,
    inW: w.inW,
    cin,
    ldx,
    outD: depth.out,
    outH: w.outH,
    outW: w.outW,
    cout,
    ldy,
    lineY,
    sliceY,
    volumeY: depth.out * sliceY,
    kd: depth.kernel,
    kh: w.kh,
    kw: w.kw,
    strideD: depth.stride,
    strideH: w.strideH,
    strideW: w.strideW,
    dilationD: depth.dilation,
    dilationH: w.dilationH,
    dilationW: w.dilationW,
    padFront: depth.begin,
    padTop: w.padTop,
    padLeft: w.padLeft,
    coverD: 0,
    coverH: 0,
    coverW: 0,
  };
}

/** Over all channels, each by itself. */
export const channelwise = (node: Node, w: Window): Volume =>
  volumeOf(node, w, { cin: w.channels, ldx: w.channels, cout: w.channels, ldy: w.channels });

/** The same of a mean, which divides by the positions that count. */
export function meanVolume(node: Node, w: Window): Volume {
  const own = channelwise(node, w);
  if (numberOf(node, "count_include_pad", 0) !== 1) return own;
  return { ...own, coverD: depthOf(node, w).cover, coverH: w.coverH, coverW: w.coverW };
}

/** Its fields in memory, in the struct's order. */
export const volumeWords = (volume: Volume): Int32Array =>
  Int32Array.from(Object.keys(new Volume()) as (keyof Volume)[], (field) => volume[field]);

export const volumeAt = (c: Lowering, volume: Volume): Address => c.data(volumeWords(volume));

/** Lines of its output. */
export const linesOf = ({ outD, outH }: Volume, batch: Dim): Dim => multiplyDims(batch, outD * outH);

/** Rows of images only: what a run computes beside them belongs to none of them. */
export const ofImages: Exclude<Op["rows"], true | undefined> = (_, [x, ...others], outputs) =>
  others.every(({ axis }) => axis < 0) &&
  x!.axis === 0 &&
  outputs.every(({ shape, axis }) => axis === 0 && shape[0] === x!.shape[0]);
