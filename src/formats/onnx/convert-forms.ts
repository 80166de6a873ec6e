// Conversions of operators that have a form only training or other programs use, and of operators that are written
// with others.

import type { Conversion, Source } from "./source";

const inferenceOnly = (source: Source) =>
  source.error("it is in training mode", {
    hint: "Export the model for inference: model.eval() before torch.onnx.export",
  });

/** Batch normalization, in training mode since opset 14: before, its statistics were told by the outputs. */
export const batchNormalization: Conversion = (source) => {
  if (source.opset < 14 && source.outputs.length > 1) throw inferenceOnly(source);
  if (source.int("spatial", 1) === 0) throw source.error("statistics of single positions (spatial = 0)");
  if (source.opset < 14) source.ignore("momentum");
  return [source.node(source.attributes())];
};

/** Dropout outside of training, which keeps everything. */
export const dropout: Conversion = (source) => {
  source.ignore("ratio", "seed", "is_test", ...source.inputs.slice(1));
  const [, ratio = "", training = ""] = source.inputs;
  const isOn = training !== "" && source.constant(training)?.data[0] !== 0;
  if (isOn && source.constant(ratio)?.data[0] !== 0) throw inferenceOnly(source);
  return [source.node({}, { inputs: source.inputs.slice(0, 1) })];
};

/** MaxPool, whose second output, the places of its elements, has an op of its own. */
export const maxPool: Conversion = (source) => {
  const hasPlaces = source.outputs.length > 1;
  if (!hasPlaces) source.ignore("storage_order");
  return [source.node(source.attributes(), { op: hasPlaces ? "GeneralMaxPool" : "MaxPool" })];
};

/** `stash_type`, the type of the inner sums, is f32 always. */
export const layerNormalization: Conversion = (source) => {
  source.ignore("stash_type");
  return [source.node(source.attributes())];
};

export const rMSNormalization = layerNormalization;

/** The softmax is f32 always. */
export const attention: Conversion = (source) => {
  source.ignore("softmax_precision");
  return [source.node(source.attributes())];
};

/** Sum of any number of values as a chain of Adds. */
export const sum: Conversion = (source) => {
  const { inputs, name, fresh } = source;
  const [output = ""] = source.outputs;
  if (inputs.length === 1) return [source.node({}, { op: "Identity" })];
  let left = inputs[0]!;
  return inputs.slice(1).map((right, i) => {
    const isLast = i === inputs.length - 2;
    const pair = [left, right];
    left = isLast ? output : fresh(`${output}_${i + 2}`);
    return source.node(
      {},
      { op: "Add", name: isLast ? name : fresh(`${name}_${i + 2}`), inputs: pair, outputs: [left] },
    );
  });
};

/** x · sigmoid(αx), which is Silu where α is 1. */
export const swish: Conversion = (source) => {
  const alpha = source.attribute("alpha") ?? 1;
  return [alpha === 1 ? source.node({}, { op: "Silu" }) : source.node({ alpha })];
};

/** Regions begin at the centers of pixels since opset 16, where a node does not say. */
export const roiAlign: Conversion = (source) => {
  const mode = source.opset < 16 ? { coordinate_transformation_mode: "output_half_pixel" } : {};
  return [source.node({ ...mode, ...source.attributes() })];
};
