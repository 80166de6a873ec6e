import { formatShape } from "../../graph/symbols";
import { isWithin } from "../broadcast";
import { floatType, numberOf, type Op, opError, type Traits } from "../op";
import { equalToScale, isRowOf, layerNormalizationPlain, rowsOf } from "../sequence/layer-normalization";

/** x / √(mean x² + epsilon) · scale over the axes from `axis` on. ONNX RMSNormalization-23. */
export const rMSNormalization: Op = {
  inputs: 2,
  attributes: ["axis", "epsilon"],
  infer(node, inputs) {
    const x = floatType(node, inputs, 0);
    const { axis } = rowsOf(node, x.shape);
    const { shape } = floatType(node, inputs, 1);
    if (!isRowOf(shape, x.shape, axis) && !isWithin(shape, x.shape))
      throw opError(node, "scale does not fit", {
        expected: `one number an element of ${formatShape(x.shape.slice(axis))}, or what broadcasts to the input`,
        got: formatShape(shape),
      });
    return [x];
  },
  rows: (node, [x]) => x!.axis < rowsOf(node, x!.shape).axis,
  lower({ node, inputs, outputs }, c) {
    const [x, scale] = inputs as [string, string];
    const { shape } = c.type(x);
    const { axis, rows, cols } = rowsOf(node, shape);
    const own = c.type(scale).shape;
    if (!isRowOf(own, shape, axis))
      throw opError(node, "a scale that is broadcast has no kernel", {
        got: formatShape(own),
        hint: "Write it as Mul, as importOnnx does",
      });
    const places = [c.output(outputs[0]!, x), c.input(x), c.input(scale)] as const;
    c.emit("rmsNormalization", [...places, cols, numberOf(node, "epsilon", 1e-5)], rows);
  },
};

export const rMSNormalizationTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: { weight: 1 },
  normalizesRows: true,
  equal: equalToScale,
};

export const rMSNormalizationPlain = layerNormalizationPlain;
