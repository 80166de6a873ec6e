// What turns master weights into codes in every step, and gradients back: the codes of weights and biases, and the masks of
// activations.

import { countOf, type Shape } from "../../graph/symbols";
import { sizeOf } from "../../graph/tensor";
import { perTensor } from "../../ops/codes";
import { quantizeLinear } from "../../ops/core/quantize-linear";
import { floatType, inputType, NONE, numberOf, type Op, opError, stringOf, type Traits } from "../../ops/op";
import { emitExtremes, rangeType } from "./extremes";
import { weightsAt } from "./layer-gradients";
import { scalar } from "./scalar";

/**
 * Codes of master weights and their scales, one a channel: inputs w, codes (state that keeps them), changed
 * (state that counts the codes of each channel that moved), bias or "", scale or "", scale of the layer's input where the bias becomes
 * int32 codes, else "". Attributes: limit, the largest code, and channels. Without a scale given it is max|w| / limit.
 */
export const quantizeWeights: Op & Pick<Traits, "codes"> = {
  codes: "makes",
  infer(node, inputs) {
    const { shape } = floatType(node, inputs, 0);
    const channels = numberOf(node, "channels", 1);
    return [
      { dtype: "i8", shape },
      { dtype: "f32", shape: [channels] },
    ];
  },
  lower(unit, c) {
    const [w, kept, changed, bias = "", given = "", x = ""] = unit.inputs as [
      string,
      string,
      string,
      string?,
      string?,
      string?,
    ];
    const [codes, scale] = unit.outputs as [string, string];
    const channels = numberOf(unit.node, "channels", 1);
    const inner = sizeOf(c.type(w).shape as readonly number[]) / channels;
    const limit = numberOf(unit.node, "limit", 127);
    c.alias(codes, kept);
    const [to, counter, from] = [c.input(kept), c.input(changed), c.input(w)];
    if (given !== "") {
      c.alias(scale, given);
      c.emit("quantizeWeightsAt", [to, counter, from, c.input(given), inner, limit], channels);
      return;
    }
    const b = bias === "" ? NONE : c.input(bias);
    const xScale = x === "" ? 0 : scalar(c, x);
    c.emit("quantizeWeights", [to, c.output(scale), counter, from, b, inner, limit, xScale], channels);
  },
};

/** What weight codes stand for: inputs codes, scale, one a row of those that are outermost. */
export const dequantizeWeights: Op = {
  infer: (node, inputs) => [{ dtype: "f32", shape: inputType(node, inputs, 0).shape }],
  lower({ inputs, outputs }, c) {
    const [codes, scale] = inputs as [string, string];
    const size = sizeOf(c.type(codes).shape as readonly number[]);
    const rows = sizeOf(c.type(scale).shape as readonly number[]);
    const places = [c.output(outputs[0]!), weightsAt(c, codes), c.input(scale)] as const;
    c.emit("dequantizeWeights", [...places, size / rows], rows);
  },
};

/** int32 codes of a bias, in units of f32(x · scale[c]): inputs b, scale of the weights, x: that of the layer's input. */
export const quantizeBias: Op = {
  infer: (node, inputs) => [{ dtype: "i32", shape: floatType(node, inputs, 0).shape }],
  lower({ inputs, outputs }, c) {
    const [b, scale, x] = inputs as [string, string, string];
    const [channels] = c.type(b).shape as [number];
    c.emit("quantizeBias", [c.output(outputs[0]!), c.input(b), c.input(scale), scalar(c, x)], channels);
  },
};

/** Type of the mask of coded values: one bit an element, and a sample starts a byte. */
export const maskShape = ([batch = 1, ...rest]: Shape): Shape => {
  const count = countOf(rest);
  if (typeof count === "number") return [batch, Math.ceil(count / 8)];
  throw opErrorOfShape(rest);
};

const opErrorOfShape = (rest: Shape) =>
  opError(
    { op: "QuantizeLinear", name: "mask", inputs: [], outputs: [], attributes: {} },
    "only the batch may be open",
    {
      expected: "samples of known size",
      got: `[${rest.join(", ")}]`,
    },
  );

/**
 * An op over codes that has two more outputs, unless they are left out: where gradient passes, one bit an element, and the range of each
 * sample: what is least and what is largest before it becomes codes.
 */
export const withMask = (op: Op, rules: Partial<Op>): Op => ({
  ...op,
  ...rules,
  infer(node, inputs) {
    const types = op.infer({ ...node, outputs: node.outputs.slice(0, 1) }, inputs);
    const [, mask = "", range = ""] = node.outputs;
    if (mask === "" && range === "") return types;
    const { shape } = types[0]!;
    const bits = { dtype: "u8", shape: mask === "" ? [] : maskShape(shape) } as const;
    return range === "" ? [types[0]!, bits] : [types[0]!, bits, rangeType(shape)];
  },
});

/** Bits of the mask lie as the numbers that they are of: codes with a mask lie so, too. */
const maskedQuantizeLinear: Op = withMask(quantizeLinear, {
  layout(node, inputs, types, of) {
    const [x = "plain"] = inputs;
    return node.outputs[1] ? { inputs: [x], outputs: [x] } : quantizeLinear.layout!(node, inputs, types, of);
  },
  lowerInteger(unit, c) {
    quantizeLinear.lowerInteger!(unit, c);
    const [, mask = "", range = ""] = unit.outputs as [string, string?, string?];
    const [x] = unit.inputs as [string];
    if (range !== "") emitExtremes(c, range, x);
    if (mask === "") return;
    const { scale, zeroPoint } = perTensor(unit.integer?.output, unit.node);
    const [batch, ...rest] = c.type(x).shape;
    c.emit("quantizeMask", [c.output(mask), c.input(x), scale[0]!, zeroPoint[0]!, countOf(rest)], batch!);
  },
});

/** dx = where the mask has a bit, dy: inputs dy, mask; `like` names the codes whose order in memory the mask has. */
export const maskGradient: Op = {
  infer: (node, inputs) => [{ dtype: "f32", shape: floatType(node, inputs, 0).shape }],
  rows: true,
  layout(node, _, __, of) {
    const layout = of(stringOf(node, "like", ""));
    return { inputs: [layout, "plain"], outputs: [layout] };
  },
  lower(unit, c) {
    const [dy, mask] = unit.inputs as [string, string];
    const dx = unit.outputs[0]!;
    const [batch, ...rest] = c.type(dx).shape;
    const from = c.input(dy);
    c.emit("maskGradient", [c.output(dx, dy), from, c.input(mask), countOf(rest)], batch!);
  },
};

export { maskedQuantizeLinear as quantizeLinear };
