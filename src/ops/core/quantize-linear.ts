import { countOf } from "../../graph/symbols";
import type { DType } from "../../graph/tensor";
import { CODES, perTensor } from "../codes";
import { floatType, type Op, stringOf, type Traits } from "../op";

/**
 * clamp(rne(x / s) + zp), one scale a tensor. ONNX QuantizeLinear-21. Images become channels-last on the way.
 */
export const quantizeLinear: Op = {
  inputs: 3,
  attributes: ["axis", "block_size", "output_dtype"],
  infer(node, inputs) {
    const x = floatType(node, inputs, 0);
    return [{ dtype: inputs[2]?.dtype ?? (stringOf(node, "output_dtype", "u8") as DType), shape: x.shape }];
  },
  rows: true,
  layout(_, [x = "plain"], [type]) {
    if (x !== "plain") return { inputs: [x], outputs: [x] };
    return { inputs: ["plain"], outputs: [type!.shape.length > 2 ? "channelsLast" : "plain"] };
  },
  lowerInteger(unit, c) {
    const [x, y] = [unit.inputs[0]!, unit.outputs[0]!];
    const { scale, zeroPoint } = perTensor(unit.integer?.output, unit.node);
    const { shape } = c.type(x);
    const tail = [scale[0]!, zeroPoint[0]!, CODES.min, CODES.max] as const;
    const [batch, channels, ...spatial] = shape;
    if (c.layout(x) === c.layout(y) || channels === 1)
      return c.emit("quantize", [c.output(y), c.input(x), ...tail], countOf(shape));
    c.emit("quantizeChannelsLast", [c.output(y), c.input(x), channels!, countOf(spatial), ...tail], batch!);
  },
};

export const quantizeLinearTraits: Traits = { codes: "makes", homogeneous: undefined, trained: undefined };
