// Dropout while a model is trained: what is kept is chosen by a seed that every step binds, and by the node's name. The second
// output is the mask that gradients pass. Kept codes stay as they are, and stand for more: their scale is another.

import { addDims, countOf } from "../../graph/symbols";
import { perTensor } from "../../ops/codes";
import { dropout } from "../../ops/core/dropout";
import { extend, inputType, type Lowering, NONE, numberOf, type Op, type Unit } from "../../ops/op";
import { maskShape } from "./quantize";

/** Symbol whose value is the seed of a step's masks. */
export const DROPOUT_SEED = "dropout@seed";

/** What is kept is divided by the part that it is of all, so that means stay. */
export const factorOf = (ratio: number): number => (ratio < 1 ? Math.fround(1 / (1 - ratio)) : 1);

/** Hashes below this are dropped: of 2^32, the most that a wasm integer holds. */
const thresholdOf = (ratio: number): number => Math.min(2 ** 32 - 1, Math.round(ratio * 2 ** 32));

/** FNV-1a of a name, in UTF-16 units. */
function saltOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Operands and what both kernels are told of the mask. */
function maskedOperands({ node, inputs, outputs }: Unit, c: Lowering) {
  const [x, y] = [inputs[0]!, outputs[0]!];
  const [batch = 1, ...rest] = c.type(x).shape;
  const from = c.input(x);
  const mask = outputs[1] ? c.output(outputs[1]) : NONE;
  const threshold = thresholdOf(numberOf(node, "ratio", 0));
  const seed = addDims(DROPOUT_SEED, saltOf(node.name));
  return { batch, args: [c.output(y, x), mask, from, countOf(rest), seed, threshold] as const };
}

const droppingDropout: Op = extend(dropout, {
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    return node.outputs[1] ? [x, { dtype: "u8", shape: maskShape(x.shape) }] : [x];
  },
  /** What is dropped follows from where a sample lies in its batch. */
  rows: (node) => numberOf(node, "ratio", 0) === 0,
  lower(unit, c) {
    const ratio = numberOf(unit.node, "ratio", 0);
    if (ratio === 0) return dropout.lower!(unit, c);
    const { batch, args } = maskedOperands(unit, c);
    c.emit("dropout", [...args, factorOf(ratio)], batch);
  },
  lowerInteger(unit, c) {
    if (numberOf(unit.node, "ratio", 0) === 0) return dropout.lowerInteger!(unit, c);
    const { batch, args } = maskedOperands(unit, c);
    c.emit("dropoutCodes", [...args, perTensor(unit.integer!.inputs[0], unit.node).zeroPoint[0]!], batch);
  },
});

export { droppingDropout as dropout };
