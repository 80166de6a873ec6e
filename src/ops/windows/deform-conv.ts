import { packedBytes } from "../../../assembly/f32/sizes";
import { deformScratchBytes } from "../../../assembly/windows/sizes";
import { formatShape, multiplyDims } from "../../graph/symbols";
import { conv, geometryOf, macsOf } from "../core/conv";
import { sameShape } from "../core/reshape";
import { behind, floatType, NONE, numberOf, type Op, opError, type Traits } from "../op";
import { Prepared } from "../prepared";
import { slideOf, windowWords } from "../window";

/** x, weights, offsets of every tap, bias, mask of every tap. ONNX DeformConv-22. */
export const deformConv: Op = {
  inputs: 5,
  attributes: ["dilations", "group", "kernel_shape", "offset_group", "pads", "strides"],
  infer(node, inputs) {
    const [x, w, offsets, b, mask] = inputs;
    const [y] = conv.infer(node, [x, w, b]);
    const { outer, taps, channels, outSpatial } = geometryOf(node, x!, w!);
    const groups = numberOf(node, "offset_group", 1);
    if (outer.length > 0 || outSpatial.length !== 2 || !Number.isInteger(channels / groups))
      throw opError(node, "only images are deformed, in whole groups of channels", {
        got: `${formatShape(x!.shape)}, offset_group ${groups}`,
      });
    const fits = (index: number, factor: number) => {
      const expected = [x!.shape[0]!, factor * groups * taps, ...outSpatial];
      const { shape } = floatType(node, inputs, index);
      if (!sameShape(shape, expected))
        throw opError(node, `input ${index} does not fit`, {
          expected: formatShape(expected),
          got: formatShape(shape),
        });
    };
    fits(2, 2);
    if (mask) fits(4, 1);
    return offsets ? [y!] : [];
  },
  rows: (_, [x, w, offsets, ...others], outputs) =>
    x!.axis === 0 &&
    offsets!.axis === 0 &&
    w!.axis < 0 &&
    others.every(({ axis }) => axis <= 0) &&
    outputs.every(({ axis }) => axis === 0),
  layout: (_, inputs) => ({
    inputs: inputs.map((_, i) => (i === 0 ? "channelsLast" : "plain")),
    outputs: ["channelsLast"],
  }),
  fusesClamp: "always",
  lower({ node, inputs, outputs, clamp }, c) {
    const [x, w, offsets, b = "", mask = ""] = inputs as [string, string, string, string?, string?];
    const g = geometryOf(node, c.type(x), c.type(w));
    const [own, made] = [g.channels / g.groups, g.outChannels / g.groups];
    const k = g.taps * own;
    const weights = new Prepared(c, w);
    const packed = weights.made(g.groups * packedBytes(made, k));
    for (let i = 0; i < g.groups; i++) {
      const [to, from] = [behind(packed, i * packedBytes(made, k)), behind(weights.source, i * made * k * 4)];
      weights.run("packWeights", [to, from, made, g.taps, own, k, 1, g.taps]);
    }
    const slide = slideOf(g, { cin: g.channels, ldx: g.channels, cout: g.outChannels, ldy: g.outChannels });
    const optional = (value: string) => (value === "" ? NONE : c.input(value));
    const { lo = -Infinity, hi = Infinity } = clamp ?? {};
    const places = [c.output(outputs[0]!), c.input(x), c.input(offsets), optional(mask), packed] as const;
    const scratch = c.scratch(deformScratchBytes(slide, k));
    const groups = [g.groups, numberOf(node, "offset_group", 1)] as const;
    const window = c.data(windowWords(slide));
    c.emit(
      "deformConv",
      [...places, optional(b), scratch, window, ...groups, lo, hi],
      multiplyDims(g.batch, g.outH),
      macsOf(g),
    );
  },
};

export const deformConvTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
