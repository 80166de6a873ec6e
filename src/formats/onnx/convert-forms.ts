// Conversions of operators that have a form only training or other programs use, and of operators that are written
// with others.

import type { Conversion, Source } from "./source";

const inferenceOnly = (source: Source) =>
  source.error("it is in training mode", {
    hint: "Export the model for inference: model.eval() before torch.onnx.export",
  });

/** Batch normalization with given statistics. */
export const normalization: Conversion = (source) => {
  const attributes = source.attributes(["epsilon"], ["momentum", "spatial", "training_mode"]);
  if (source.int("training_mode", 0) !== 0 || source.outputs.length > 1) throw inferenceOnly(source);
  if (source.int("spatial", 1) === 0) throw source.error("statistics of single positions (spatial = 0)");
  return [source.node(attributes)];
};

/** Dropout outside of training, which keeps everything. */
export const dropout: Conversion = (source) => {
  source.attributes([], ["ratio", "seed", "is_test"]);
  const training = source.inputs[2];
  if (training && (source.constant(training)?.data[0] ?? 1) !== 0) throw inferenceOnly(source);
  return [source.node({}, { inputs: source.inputs.slice(0, 1) })];
};

/** MaxPool without its second output. */
export const poolWithIndices =
  (window: readonly string[]): Conversion =>
  (source) => {
    const attributes = source.attributes(window, ["storage_order"]);
    if (source.outputs.length > 1) throw source.error("its second output, the indices, is not computed");
    return [source.node(attributes)];
  };

/** Sum of any number of values as a chain of Adds. */
export const sum: Conversion = (source) => {
  source.attributes([]);
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
  const { alpha = 1 } = source.attributes(["alpha"]);
  if (alpha !== 1) throw source.error("alpha does not fit", { expected: "1", got: `${alpha}` });
  return [source.node({}, { op: "Silu" })];
};

const resizing = ["axes", "coordinate_transformation_mode", "nearest_mode"];
/** What only interpolation, crops and sizes that are not kept go by. */
const interpolating = ["antialias", "cubic_coeff_a", "exclude_outside", "extrapolation_value"];

/** To the nearest element, which is the only mode there are kernels for. */
export const resize: Conversion = (source) => {
  const given = source.attributes([...resizing, "mode", "keep_aspect_ratio_policy"], interpolating);
  const { mode = "nearest", keep_aspect_ratio_policy: policy = "stretch", ...attributes } = given;
  if (mode !== "nearest" || policy !== "stretch" || source.inputs.length < 3)
    throw source.error("only to the nearest element, by scales or sizes", { got: `${mode}, ${policy}` });
  return [source.node(attributes)];
};

/** Resize as it was before opset 10. */
export const upsample: Conversion = (source) => {
  const { mode = "nearest" } = source.attributes(["mode"]);
  const [x = "", scales = ""] = source.inputs;
  if (mode !== "nearest" || scales === "")
    throw source.error("only to the nearest element, by an input of scales", { got: `${mode}` });
  const attributes = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
  return [source.node(attributes, { op: "Resize", inputs: [x, "", scales] })];
};
