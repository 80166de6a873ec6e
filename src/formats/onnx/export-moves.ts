// The way back of operators whose known parameters are inputs in a file that are not vectors of int64, and of sizes that a run finds.

import { countOf, type Dim, floorDims } from "../../graph/symbols";
import { nearestModeOf } from "./nearest-mode";
import type { Way } from "./target";
import { as, unwritten, writeSame } from "./ways";

const ofInput = { kind: "as the first", isScalar: true } as const;
const scalar = { isScalar: true } as const;
const float = { kind: "f32", isScalar: true } as const;

export const clip = as({ forms: { 1: ofInput, 2: ofInput } });
export const pad = as({ forms: { 2: ofInput } });
export const cumProd = as({ opset: 26, forms: { 1: scalar } });
export const cumSum = as({ forms: { 1: scalar } });
export const oneHot = as({ forms: { 1: scalar } });
export const trilu = as({ forms: { 1: scalar } });
export const nonMaxSuppression = as({ forms: { 2: scalar, 3: float, 4: float } });
const resizing = { op: "Resize", forms: { 1: { kind: "f32" }, 2: { kind: "f32" } } } as const;
export const interpolate = as(resizing);

/** Nearest elements as before opset 11 are those above or those below, in the whole node. */
export const resize: Way = (node, target) => {
  const { nearest_mode, scales } = node.attributes;
  if (nearest_mode !== "ceil_if_shorter") return writeSame(node, target, resizing);
  const mode = nearestModeOf(scales as readonly number[] | undefined);
  if (!mode)
    throw unwritten(
      node,
      "its nearest elements are above along some axes and below along others",
      "known scales that are all ≤ 1, or all ≥ 1",
    );
  writeSame(node, target, { ...resizing, attributes: { nearest_mode: mode } });
};

/** One dimension that depends on symbols is what is left, where it is: one that a run may find to be another is compared there. */
export const reshape: Way = (node, target) => {
  const shape = (node.attributes.shape ?? []) as Dim[];
  const [open, ...others] = shape.filter((dim) => typeof dim !== "number" || dim < 1);
  const count = countOf(target.type(node.inputs[0]!).shape);
  const rest = countOf(shape.filter((dim) => dim !== open));
  const isLeft = others.length === 0 && floorDims(count, rest) === open;
  const attributes = { shape: shape.map((dim) => (dim === open ? -1 : dim)), allowzero: undefined };
  writeSame(node, target, isLeft ? { attributes } : {});
};

/** Axes are counted from the first. */
export const transpose: Way = (node, target) => {
  const { perm } = node.attributes;
  const first =
    Array.isArray(perm) && perm.map((axis) => (Number(axis) < 0 ? Number(axis) + perm.length : axis));
  writeSame(node, target, first ? { attributes: { perm: first as number[] } } : {});
};

/** Without sizes, its outputs are as large as each other. */
export const split: Way = (node, target) => {
  const isSaid = node.inputs.length > 1 || node.attributes.split !== undefined;
  writeSame(node, target, isSaid ? {} : { attributes: { num_outputs: node.outputs.length } });
};

/** Indices into parts of a batch are octette's own. */
export const scatterND: Way = (node, target) => {
  const { batch_dims = 0 } = node.attributes;
  if (batch_dims !== 0) throw unwritten(node, "its indices are of parts of a batch", "batch_dims 0");
  writeSame(node, target, { attributes: { batch_dims: undefined } });
};

/** ONNX has always both outputs. */
export const topK: Way = (node, target) => {
  const [values, indices = ""] = node.outputs;
  const outputs = [
    values || target.fresh(`${node.name}_values`),
    indices || target.fresh(`${node.name}_indices`),
  ];
  writeSame({ ...node, outputs }, target);
};

/** ONNX has the blocks' channels first; in mode CRD each channel's block follows it. */
export const spaceToDepth: Way = (node, target) => {
  const { mode = "DCR", blocksize } = node.attributes;
  if (mode === "DCR") return writeSame(node, target, { attributes: { mode: undefined } });
  const b = blocksize as number;
  const [n, c, h, w] = target.type(node.inputs[0]!).shape as [Dim, Dim, Dim, Dim];
  const { shape } = target.type(node.outputs[0]!);
  const [rows, cols] = [shape[2]!, shape[3]!];
  const known = [h, w, b].every((dim) => typeof dim === "number");
  if (!known) throw unwritten(node, "its image has no known size", "height and width as numbers");
  const apart = target.add("Reshape", [
    target.operand(node.inputs[0]!),
    target.sizes.dims([n, c, rows, b, cols, b]),
  ]);
  const moved = target.add("Transpose", [apart], { attributes: { perm: [0, 1, 3, 5, 2, 4] } });
  target.write(node, "Reshape", [moved, target.sizes.dims(shape)]);
};

/** Numbers that follow from symbols. */
export const dimensions: Way = (node, target) => {
  const { values, shape } = node.attributes;
  const dims = Array.isArray(values) ? target.sizes.dims(values) : target.operand(node.inputs[0]!);
  target.write(node, "Reshape", [dims, target.integers((shape ?? []) as number[])]);
};

/**
 * ONNX refuses sizes below 0 in a shape: here that of a tensor of no elements. Its count, which is 0, is added to the symbols that are read
 * after it, so that no reader takes the tensor to be of no use.
 */
export const natural: Way = (node, target) => {
  const dims = node.attributes.values as readonly Dim[];
  const empty = target.add("ConstantOfShape", [target.sizes.dims([0, ...dims])]);
  const count = target.add("Size", [empty]);
  target.sizes.readAfter(target.add("Reshape", [count, target.integers([1])]), dims);
};

/** Symbols are elements of a value; where these are a shape of other elements, the sizes that it has then. */
export const bind: Way = (node, target) => {
  const [x = ""] = node.inputs;
  const { of, allowzero = 0 } = node.attributes;
  let sizes = target.operand(x);
  if (target.type(x).shape.length === 0) sizes = target.add("Reshape", [sizes, target.integers([1])]);
  if (Array.isArray(of)) {
    const elements = target.add("ConstantOfShape", [target.sizes.dims(of)]);
    sizes = target.add("Shape", [target.add("Reshape", [elements, sizes], { attributes: { allowzero } })]);
  }
  for (const [i, symbol] of target.foundBy(node).entries())
    target.sizes.isSymbol(
      symbol,
      target.add("Gather", [sizes, target.integers([i])], { attributes: { axis: 0 } }),
    );
};
