// Transposed convolution of volumes and of computed weights: for each phase of the strides a convolution, as ConvTranspose is lowered.

import { firstOf, lastOf, phaseOf, stepOf } from "../../../assembly/lanes/phase";
import { Window as Slide } from "../../../assembly/lanes/window";
import { type Address, behind, extend, type Lowering, NONE, opError, type Traits, type Unit } from "../op";
import { Prepared } from "../prepared";
import { convTranspose } from "../vision/conv-transpose";
import { type Axis, type Geometry, geometryOf, isDepthwise } from "../vision/transposed-window";
import { POINT, slideOf } from "../window";
import { convolveVolume } from "./convolve-volume";
import { ofImages, type Volume } from "./volume";

/** One phase along one axis: a convolution of stride 1. */
interface AxisPhase {
  readonly axis: Axis;
  /** First position of the output. */
  readonly at: number;
  readonly positions: number;
  readonly taps: number;
  readonly dilation: number;
  readonly pad: number;
  /** The tap of the weights that is its first, and how far before it the next one is. */
  readonly firstTap: number;
  readonly step: number;
}

function phasesAlong(axis: Axis): AxisPhase[] {
  const { size, out, kernel, stride, dilation, begin } = axis;
  const rows = { inH: 1, outH: 1, kh: 1, strideH: 1, dilationH: 1, padTop: 0 };
  const own = { inW: out, outW: size, kw: kernel, strideW: stride, dilationW: dilation, padLeft: begin };
  return Array.from({ length: Math.min(stride, out) }, (_, at): AxisPhase => {
    const to = new Slide();
    phaseOf(to, slideOf({ ...rows, ...own }, 1), 0, at);
    const step = stepOf(stride, dilation);
    const firstTap = lastOf(firstOf(at, begin, kernel, stride, dilation), kernel, step);
    const { outW: positions, kw: taps, dilationW, padLeft: pad } = to;
    return { axis, at, positions, taps, dilation: dilationW, pad, firstTap, step };
  });
}

/** The convolution that a phase is; an axis's positions lie `stride` apart in y. */
function volumeOf(g: Geometry, [d, h, w]: readonly [AxisPhase, AxisPhase, AxisPhase], depthwise: boolean) {
  const { channels, outChannels, groups } = g;
  const line = w.axis.out * outChannels;
  const slice = h.axis.out * line;
  const volume: Volume = {
    ...{ inD: d.axis.size, inH: h.axis.size, inW: w.axis.size },
    ...{ cin: depthwise ? channels : channels / groups, ldx: channels },
    ...{ outD: d.positions, outH: h.positions, outW: w.positions },
    ...{ cout: depthwise ? channels : outChannels / groups, ldy: w.axis.stride * outChannels },
    ...{ lineY: h.axis.stride * line, sliceY: d.axis.stride * slice, volumeY: d.axis.out * slice },
    ...{ kd: d.taps, kh: h.taps, kw: w.taps, strideD: 1, strideH: 1, strideW: 1 },
    ...{ dilationD: d.dilation, dilationH: h.dilation, dilationW: w.dilation },
    ...{ padFront: d.pad, padTop: h.pad, padLeft: w.pad, coverD: 0, coverH: 0, coverW: 0 },
  };
  return { volume, at: d.at * slice + h.at * line + w.at * outChannels };
}

/** Kernels of a phase, [o][i/group][taps…] as a convolution has them. */
function kernelsOf(weights: Prepared, g: Geometry, phases: readonly AxisPhase[]): Address {
  const [d, h, w] = phases as [AxisPhase, AxisPhase, AxisPhase];
  const [kh, kw] = [h.axis.kernel, w.axis.kernel];
  const taps = d.taps * h.taps * w.taps;
  const pairs = (g.outChannels * g.channels) / g.groups;
  const to = weights.between(pairs * taps * 4);
  if (taps === 0) return to;
  const from = behind(weights.source, ((d.firstTap * kh + h.firstTap) * kw + w.firstTap) * 4);
  const extents = [1, 1, d.taps, h.taps, w.taps] as const;
  const toSteps = [taps * 4, 0, 0, h.taps * w.taps * 4, w.taps * 4, 4] as const;
  const fromSteps = [g.taps * 4, 0, 0, -d.step * kh * kw * 4, -h.step * kw * 4, -w.step * 4] as const;
  weights.run("copyStrided", [to, from, 4, ...extents, ...toSteps, ...fromSteps, 0, pairs]);
  return to;
}

function lower(unit: Unit, c: Lowering): void {
  const { node, inputs, outputs } = unit;
  const [x, w, b = ""] = inputs as [string, string, string?];
  const g = geometryOf(node, c.type(x), c.type(w));
  if (g.axes.length > 3) throw opError(node, "it has too many spatial dimensions", { expected: "at most 3" });
  const axes = [POINT, POINT, ...g.axes].slice(-3).map(phasesAlong) as [
    AxisPhase[],
    AxisPhase[],
    AxisPhase[],
  ];
  const depthwise = isDepthwise(g);
  const weights = new Prepared(c, w);
  const bias = b === "" ? NONE : c.input(b);
  const [from, to] = [c.input(x), c.output(outputs[0]!)];
  for (const d of axes[0])
    for (const h of axes[1])
      for (const w of axes[2]) {
        const { volume, at } = volumeOf(g, [d, h, w], depthwise);
        const y = behind(to, at * 4);
        const kernels = kernelsOf(weights, g, [d, h, w]);
        const own = {
          batch: g.batch,
          groups: g.groups,
          volume,
          depthwise,
          x: from,
          y,
          kernels,
          weights,
          bias,
        };
        convolveVolume(c, own, unit.clamp);
      }
}

/** ConvTranspose of any weights and bias, over one to three spatial dimensions; weights [o, c/group, kernel…]. */
export const generalConvTranspose = extend(convTranspose, {
  rows: ofImages,
  lower,
  lowerInteger: undefined as never,
});

export const generalConvTransposeTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
};
