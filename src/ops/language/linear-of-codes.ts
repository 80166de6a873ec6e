// How Linear over codes is lowered in language models: kernels whose range is over outputs, on one packing for one row and for many.
// Layers of other models are left to the op's own rule.

import { BESIDE_COLUMNS } from "../../../assembly/int8/sizes";
import { linearInt8ScratchBytes } from "../../../assembly/linear/sizes";
import { multiplyDims } from "../../graph/symbols";
import { type Dense, depthOf, packWeightsInt8, realBias, weightCodes } from "../dense";
import { dequantizing, isPerRow } from "../epilogue";
import { linear, linearOf } from "../linear";
import { type Content, type Lowering, NONE, type Op, type Quantization } from "../op";

/** Where the input has a scale a row and the result is float: what DynamicQuantize(axis −1) feeds. */
export const linearOfCodes = {
  lowerInteger(unit, c) {
    const { inputs, output } = unit.integer!;
    const [x, w, b] = inputs;
    const plain = c.layout(unit.inputs[0]!) === "plain";
    if (output || !plain || !x || !isPerRow(c, x)) return linear.lowerInteger!(unit, c);
    const { dense, bias } = linearOf(unit, c);
    const weights = weightCodes(unit.node, w, dense.view.n);
    const given = { ...dense, y: c.output(unit.outputs[0]!) };
    lowerColumns(c, given, x, weights, realBias(bias, b, dense.view.n));
  },
} satisfies Partial<Op>;

/** W8: a scale for each output channel. */
function lowerColumns(c: Lowering, dense: Dense, x: Quantization, w: Quantization, bias: Content): void {
  const { unit, rows, view } = dense;
  const [n, k] = [view.n, depthOf(view)];
  const { packed, offset } = packColumns(c, dense);
  const { scale, addend, range, epilogue } = dequantizing(c, unit, x, w, n, bias);
  const scratch = c.scratch((most) => linearInt8ScratchBytes(most(rows), k));
  c.emit(
    "linearInt8",
    [dense.y, n, dense.x, k, packed, offset, scale, addend, ...range, scratch, rows, n, k, epilogue],
    Math.ceil(n / BESIDE_COLUMNS),
    multiplyDims(rows, n * k),
  );
}

/** Weights as one row streams them, once for all layers that read them, and their sums. */
const packColumns = (c: Lowering, { weights, view }: Pick<Dense, "weights" | "view">) =>
  c.once(`columns ${weights.name}`, () => {
    const made = packWeightsInt8(c, c.stage(weights), view, NONE, 1, BESIDE_COLUMNS);
    c.load("packRowWeightsInt8", [made.packed, view.n, depthOf(view)]);
    return made;
  });
