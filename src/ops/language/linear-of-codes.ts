// How Linear over codes is lowered in language models: kernels whose range is over outputs, on one packing for one row and for many.
// Layers of other models are left to the op's own rule.

import { linearBlocksScratchBytes } from "../../../assembly/blocks/sizes";
import { LINEAR_INT4_SCRATCH, packedRowsInt4Bytes } from "../../../assembly/int4/sizes";
import { linearInt8ScratchBytes, packedRowsInt8Bytes } from "../../../assembly/linear/sizes";
import { multiplyDims } from "../../graph/symbols";
import { linear, linearOf } from "../core/linear";
import { checkBias, type Dense, depthOf, realBias, weightCodes } from "../dense";
import { dequantizing, isPerRow } from "../epilogue";
import {
  type Address,
  type Content,
  type Lowering,
  type Op,
  opError,
  type Quantization,
  type Unit,
} from "../op";
import { BESIDE_COLUMNS, COLUMNS, packBlocks, packInt4, packInt8 } from "./packed-weights";

/** Most inputs whose sum int32 holds: 255 · 128 · MAX_DEPTH < 2^31. */
const MAX_DEPTH = 65_793;

/** Where the input has a scale a row and the result is float, as DynamicQuantize(axis −1) feeds it, or the weights are in groups. */
export const linearOfCodes = {
  /** Groups lie along rows as they are written. */
  layout(node, inputs, types, of) {
    if (!node.codes?.inputs[1]?.groups) return linear.layout!(node, inputs, types, of);
    return { inputs: inputs.map(() => "plain"), outputs: ["plain"] };
  },
  lowerInteger(unit, c) {
    const { inputs, output } = unit.integer!;
    const [x, w, b] = inputs;
    if (w?.groups) {
      checkGroups(unit, x);
    } else {
      const isPlain = c.layout(unit.inputs[0]!) === "plain";
      if (output || !isPlain || !x || !isPerRow(c, x)) return linear.lowerInteger!(unit, c);
    }
    const { dense, bias } = linearOf(unit, c);
    checkBias(unit.node, bias, b, undefined);
    const product = { ...dense, y: c.output(unit.outputs[0]!) };
    const lower = !w?.groups ? lowerInt8 : w.scale.length > 0 ? lowerInt4 : lowerBlocks;
    lower(c, product, x!, w!, realBias(bias, b, dense.view.n));
  },
} satisfies Partial<Op>;

type Lower = (c: Lowering, dense: Dense, x: Quantization, w: Quantization, bias: Content | undefined) => void;

function checkGroups({ node, integer }: Unit, x: Quantization | undefined): void {
  if (x && x.dtype !== "i32" && !integer!.output) return;
  throw opError(node, "weights in groups multiply codes to floats", {
    expected: "an input of codes, and no scale of its result",
    got: x ? `${x.dtype} codes${integer!.output ? " to codes" : ""}` : "an input without codes",
  });
}

/** Rows of codes as a kernel multiplies them, packed once for all layers that read them. */
const packedRows = (
  c: Lowering,
  kernel: "packRowsInt8" | "packRowsInt4",
  { unit, x, ldx, rows, view }: Dense,
  bytes: (rows: number, k: number) => number,
): Address =>
  c.once(`${kernel} ${unit.inputs[0]}`, () => {
    const k = depthOf(view);
    const to = c.temporary((most) => bytes(most(rows), k));
    c.emit(kernel, [to, x, ldx, rows, k], rows);
    return to;
  });

/** A scale for each output. */
const lowerInt8: Lower = (c, dense, xq, wq, bias) => {
  const { unit, y, rows, weights, view } = dense;
  const [n, k] = [view.n, depthOf(view)];
  if (k > MAX_DEPTH)
    throw opError(unit.node, "a sum of so many products does not fit int32", {
      expected: `at most ${MAX_DEPTH} inputs`,
      got: `${k}`,
    });
  const { packed, sums } = packInt8(c, weights);
  const finish = dequantizing(c, unit, xq, weightCodes(unit.node, wq, n), n, bias);
  const x = packedRows(c, "packRowsInt8", dense, packedRowsInt8Bytes);
  const scratch = c.scratch(linearInt8ScratchBytes(k));
  const { scale, addend, range, epilogue } = finish;
  c.emit(
    "linearInt8",
    [y, n, x, packed, sums, scale, addend, ...range, scratch, rows, n, k, epilogue],
    Math.ceil(n / BESIDE_COLUMNS),
    multiplyDims(rows, n * k),
  );
};

/** A whole scale for each group and one for each output. */
const lowerInt4: Lower = (c, dense, xq, wq, bias) => {
  const { unit, y, rows, weights, view } = dense;
  const [n, k] = [view.n, depthOf(view)];
  const { packed, sums } = packInt4(c, unit.node, weights, wq);
  const finish = dequantizing(c, unit, xq, wq, n, bias);
  const x = packedRows(c, "packRowsInt4", dense, packedRowsInt4Bytes);
  const scratch = c.scratch(LINEAR_INT4_SCRATCH);
  const { scale, addend, range, epilogue } = finish;
  const hasOffsets = wq.groups!.offsets === undefined ? 0 : 1;
  c.emit(
    "linearInt4",
    [y, n, x, packed, sums, scale, addend, ...range, scratch, rows, n, k, hasOffsets, epilogue],
    Math.ceil(n / COLUMNS),
    multiplyDims(rows, n * k),
  );
};

/** A float scale for each block. */
const lowerBlocks: Lower = (c, { unit, x, y, rows, weights, view }, xq, wq, bias) => {
  const [n, k] = [view.n, depthOf(view)];
  const { size, offsets } = wq.groups!;
  const packed = packBlocks(c, unit.node, weights, wq);
  const { addend, range, epilogue } = dequantizing(c, unit, xq, wq, n, bias);
  const scratch = c.scratch((most) => linearBlocksScratchBytes(most(rows), k, size));
  const hasOffsets = offsets === undefined ? 0 : 1;
  c.emit(
    "linearBlocks",
    [y, n, x, k, packed, addend, ...range, scratch, rows, n, k, size, hasOffsets, epilogue],
    Math.ceil(n / COLUMNS),
    multiplyDims(rows, n * k),
  );
};
