import { conv, geometryOf, groupChannels, isDepthwise } from "../core/conv";
import { extend, NONE, type Traits } from "../op";
import { Prepared } from "../prepared";
import { convolveVolume } from "./convolve-volume";
import { channelwise, ofImages, volumeOf } from "./volume";

/** Conv of any weights and bias, over one to three spatial dimensions: what Conv has no kernels for. */
export const generalConv = extend(conv, {
  rows: ofImages,
  fusesAdd: () => false,
  lower(unit, c) {
    const { node, inputs, outputs } = unit;
    const [x, w, b = ""] = inputs as [string, string, string?];
    const g = geometryOf(node, c.type(x), c.type(w));
    const depthwise = isDepthwise(g);
    const weights = new Prepared(c, w);
    const layer = {
      batch: g.batch,
      groups: g.groups,
      volume: depthwise ? channelwise(node, g) : volumeOf(node, g, groupChannels(g)),
      depthwise,
      x: c.input(x),
      y: c.output(outputs[0]!),
      kernels: weights.source,
      weights,
      bias: b === "" ? NONE : c.input(b),
    };
    convolveVolume(c, layer, unit.clamp);
  },
  lowerInteger: undefined as never,
});

export const generalConvTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
};
