// The way back of layers: weights lie with outputs first in octette, and ONNX has no fully connected layer.

import type { Node } from "../../graph/graph";
import { sizeOf, type Tensor, tensor } from "../../graph/tensor";
import { turned } from "./export-quantized";
import type { Target, Way } from "./target";
import { unwritten, writeSame } from "./ways";

/** Of rows a Gemm; of more dimensions a MatMul, whose known weights are turned. */
export const linear: Way = (node, target) => {
  const [x = "", w = "", bias = ""] = node.inputs;
  const row = bias === "" ? "" : target.operand(bias);
  if (target.type(x).shape.length === 2)
    return target.write(node, "Gemm", [target.operand(x), target.operand(w), row], { transB: 1 });
  const weights = target.constant(w);
  const held = weights
    ? target.shared(`turned ${w}`, `${w}_turned`, turned(weights))
    : target.add("Transpose", [w], { attributes: { perm: [1, 0] } });
  if (row === "") return target.write(node, "MatMul", [target.operand(x), held]);
  const product = target.add("MatMul", [target.operand(x), held], { name: node.name });
  target.add("Add", [product, row], { outputs: node.outputs });
};

/** Windows of sizes that are rounded up are octette's own. */
export const conv: Way = (node, target) => {
  if (Number(node.attributes.ceil_mode ?? 0) !== 0)
    throw unwritten(node, "the size of its result is rounded up", "ceil_mode 0");
  writeSame(node, target, { op: "Conv", attributes: { ceil_mode: undefined } });
};

export { conv as generalConv };

/** Weights [o, c/group, kernel…] → [c, o/group, kernel…] in the file. */
export const convTranspose: Way = (node, target) => {
  const [x = "", w = "", bias = ""] = node.inputs;
  const group = Number(node.attributes.group ?? 1);
  const constant = target.constant(w);
  const held = constant
    ? target.shared(`inputs first ${group} ${w}`, `${w}_turned`, inputsFirst(constant, group))
    : writeInputsFirst(target, w, group);
  const inputs = [target.operand(x), held, bias === "" ? "" : target.operand(bias)];
  target.write(node, "ConvTranspose", inputs, node.attributes);
};

export { convTranspose as generalConvTranspose };

/** [c, o/group, kernel…] → [o, c/group, kernel…], by the operators that move dimensions. */
export const convTransposeWeights: Way = (node, target) => {
  const [w = ""] = node.inputs;
  const group = Number(node.attributes.group ?? 1);
  const sizes = target.type(w).shape as readonly number[];
  writeTurned(target, target.operand(w), sizes, group, node);
};

/** The parts of weights [a, b/group, kernel…]: [group, a/group, b/group, taps]. */
const partsOf = ([first = 0, second = 0, ...kernel]: readonly number[], group: number) =>
  [group, first / group, second, sizeOf(kernel)] as const;

function inputsFirst({ dtype, shape, data }: Tensor, group: number): Tensor {
  const [groups, outputs, inputs, taps] = partsOf(shape, group);
  const made = tensor(dtype, [groups * inputs, outputs, ...shape.slice(2)], { length: 0 });
  let from = 0;
  for (let g = 0; g < groups; g++)
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++, from += taps) {
        const to = ((g * inputs + i) * outputs + o) * taps;
        made.data.set(data.subarray(from, from + taps), to);
      }
  return made;
}

const writeInputsFirst = (target: Target, w: string, group: number) =>
  writeTurned(target, w, target.type(w).shape as readonly number[], group);

/** Exchanges the first two dimensions within every group. */
function writeTurned(
  target: Target,
  w: string,
  shape: readonly number[],
  group: number,
  node?: Node,
): string {
  const [groups, outputs, inputs] = partsOf(shape, group);
  const own = node && { name: node.name, outputs: node.outputs };
  const kernel = shape.slice(2);
  const taps = kernel.map((_, i) => i + 2);
  if (group === 1) return target.add("Transpose", [w], { attributes: { perm: [1, 0, ...taps] }, ...own });
  const apart = target.add("Reshape", [w, target.integers([groups, outputs, inputs, ...kernel])]);
  const perm = [0, 2, 1, ...taps.map((axis) => axis + 1)];
  const moved = target.add("Transpose", [apart], { attributes: { perm } });
  return target.add("Reshape", [moved, target.integers([groups * inputs, outputs, ...kernel])], own);
}
