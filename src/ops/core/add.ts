import { addDims, countOf, formatShape } from "../../graph/symbols";
import { binary, ofKnown } from "../binary";
import { codeBounds, perTensor } from "../codes";
import { extend, type Op, opError, type Quantization, type Traits } from "../op";

/** a + b. ONNX Add-14. Over codes: dequantize both, add in f32, quantize, in one step. */
export const add: Op = extend(binary("add"), {
  adds: true,
  lowerInteger(unit, c) {
    const [a, b] = unit.inputs as [string, string];
    const { inputs, output } = unit.integer!;
    const [aq, bq, yq] = [inputs[0], inputs[1], output].map((q) => perTensor(q, unit.node)) as [
      Quantization,
      Quantization,
      Quantization,
    ];
    const { shape } = c.type(unit.outputs[0]!);
    const same = [a, b].every((value) => formatShape(c.type(value).shape) === formatShape(shape));
    if (!same)
      throw opError(unit.node, "an integer addition needs codes of one shape on all sides", {
        got: `${formatShape(c.type(a).shape)} and ${formatShape(c.type(b).shape)}`,
      });
    const { lo, hi } = codeBounds(unit.clamp, yq);
    const of = (q: Quantization) => [q.scale[0]!, q.zeroPoint[0]!] as const;
    const operands = [c.input(a), c.input(b)] as const;
    c.emit(
      "addInt8",
      [c.output(unit.outputs[0]!, a), ...operands, ...of(aq), ...of(bq), ...of(yq), lo, hi],
      countOf(shape),
    );
  },
});

/** What it is of known values. */
export const addKnown = /* @__PURE__ */ ofKnown("add", addDims);

export const addTraits: Traits = {
  codes: "sum",
  homogeneous: undefined,
  trained: undefined,
  evaluate: addKnown,
};
