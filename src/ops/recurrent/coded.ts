// Recurrent layers over codes: x·Wᵀ of all steps is one int8 product, and kernels round states to codes at each step.

import {
  BESIDE_COLUMNS,
  DEQUANTIZE,
  gemmInt8ScratchBytes,
  offsetInt8Bytes,
  packedInt8Bytes,
} from "../../../assembly/int8/sizes";
import { type Dim, multiplyDims } from "../../graph/symbols";
import { MAX_REDUCTION, perChannelScales, perTensor } from "../codes";
import { weightCodes } from "../dense";
import { epilogueWords, isPerRow } from "../epilogue";
import {
  type Address,
  behind,
  type Lowering,
  NONE,
  opError,
  type Quantization,
  stringOf,
  type Unit,
} from "../op";
import { Prepared } from "../prepared";

/** Whose states share a range where they become codes: each row's own, or those of all rows. */
export const isShared = ({ node }: Pick<Unit, "node">): boolean => {
  const range = stringOf(node, "state_range", "row");
  if (range === "row" || range === "batch") return range === "batch";
  throw opError(node, "state_range is unknown", { expected: "row or batch", got: range });
};

/** Weights of a kernel over codes: panels, sums of their columns, a scale each column. */
export type CodedRows = readonly [packed: Address, sums: Address, scale: Address];

/** The codes of a layer whose unit has some: x, W and R. */
export class CodedLayer {
  readonly #unit: Unit;
  readonly #c: Lowering;

  constructor(unit: Unit, c: Lowering) {
    const { node, integer, inputs } = unit;
    const [x, w, r, ...others] = integer!.inputs;
    if (!x || !w || !r || others.some((q) => q) || integer!.output)
      throw opError(node, "its codes do not fit", {
        expected: "those of its input and of both its weights, and a float result",
      });
    const depth = Math.max(...[1, 2].map((i) => c.type(inputs[i]!).shape[2] as number));
    if (depth > MAX_REDUCTION)
      throw opError(node, "a sum of so many products does not fit int32", {
        expected: `at most ${MAX_REDUCTION} inputs and states`,
        got: `${depth}`,
      });
    this.#unit = unit;
    this.#c = c;
  }

  /** Rows `from` on of the weights that input `index` holds; `isOne`: for one row of what they are multiplied with. */
  rows(index: 1 | 2, from: number, n: number, isOne: boolean): CodedRows {
    const c = this.#c;
    const value = this.#unit.inputs[index]!;
    const [directions, width, k] = c.type(value).shape as [number, number, number];
    const q = weightCodes(this.#unit.node, this.#unit.integer!.inputs[index], directions * width);
    const pack = (): readonly [Address, Address] => {
      const columns = isOne ? BESIDE_COLUMNS : 8;
      const weights = new Prepared(c, value, { from: from * k, bytes: n * k });
      const packed = weights.made(packedInt8Bytes(n, k, 1, columns));
      const sums = weights.made(offsetInt8Bytes(n));
      const sizes = [n, 1, 1, k, k, 0, 0, 1, columns / 8] as const;
      weights.run("packWeightsInt8", [packed, sums, weights.source, NONE, 1, ...sizes]);
      if (isOne) weights.run("packRowWeightsInt8", [packed, n, k]);
      return [packed, sums];
    };
    const key = `recurrent codes ${from} ${n} ${isOne} ${value}`;
    const made = c.constant(value) ? c.once(key, pack) : pack();
    const scale = q.dynamic
      ? behind(c.input(q.dynamic.scale), from * 4)
      : c.data(perChannelScales(q, directions * width).slice(from, from + n));
    return [...made, scale];
  }

  /** z = x·Wᵀ + bias for `all` rows of x, of rows `from` on of W. */
  multiply(z: Address, all: Dim, from: number, n: number, bias: Address | typeof NONE): void {
    const c = this.#c;
    const { node, inputs, integer } = this.#unit;
    const [x] = inputs as [string];
    const k = c.type(x).shape[2] as number;
    const xq = integer!.inputs[0]!;
    const isOne = c.isOne(all);
    const [packed, sums, scale] = this.rows(1, from, n, isOne);
    const range = this.#rangeOf(xq.dynamic ? xq : perTensor(xq, node));
    const rowStride = isPerRow(c, xq) ? 1 : 0;
    const epilogue = c.data(epilogueWords({ kind: DEQUANTIZE, lo: -Infinity, hi: Infinity, rowStride }));
    const scratch = c.scratch((most) => gemmInt8ScratchBytes(most(all), k));
    const tail = [packed, sums, scale, bias, ...range, scratch, n, k, epilogue] as const;
    const macs = multiplyDims(all, n * k);
    if (isOne) c.emit("gemvInt8", [z, c.input(x), ...tail], Math.ceil(n / BESIDE_COLUMNS), macs);
    else c.emit("gemmInt8", [z, n, c.input(x), k, ...tail], all, macs);
  }

  #rangeOf({ dynamic, scale, zeroPoint }: Quantization) {
    const c = this.#c;
    return dynamic
      ? ([c.input(dynamic.scale), c.input(dynamic.zeroPoint)] as const)
      : ([c.data(scale), c.data(zeroPoint)] as const);
  }
}
