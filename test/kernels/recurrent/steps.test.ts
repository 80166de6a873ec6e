import { beforeEach, expect, test } from "vitest";
import { packedBytes } from "../../../assembly/f32/sizes";
import { Recurrence, recurrentScratchBytes, SIGMOID, TANH } from "../../../assembly/recurrent/sizes";
import { forward } from "../../ops/recurrent/reference";
import { inPieces } from "../float";
import { alloc, fillFloats, loadCommon, place, random, reset } from "../harness";

const { gru, lstm, packWeights, rnn } = loadCommon();
beforeEach(reset);

const SIZES = [0, 1, 3, 4, 17];
const CASES = ["LSTM", "GRU", "RNN"].flatMap((op) =>
  SIZES.flatMap((rows) => [1, 3, 8, 17].map((hidden) => [op, rows, hidden] as const)),
);
const STEPS = 3;

/** What the kernel of an op makes of z, in the order of its last step where `reverse`, against steps in float64. */
function check(op: string, rows: number, hidden: number, reverse: boolean, flag: number): void {
  const next = random(rows * 31 + hidden);
  const gates = { LSTM: 4, GRU: 3, RNN: 1 }[op]!;
  const n = gates * hidden;
  const floats = (count: number) => fillFloats(alloc(Float32Array, count), next, -1, 1);
  const [z, r, bias, h0, c0] = [STEPS * rows * n, n * hidden, n, rows * hidden, rows * hidden].map(floats);
  const peepholes = floats(3 * hidden);
  const lengths = place(
    Int32Array,
    Int32Array.from({ length: rows }, (_, row) => row % (STEPS + 1)),
  );
  const pack = (from: number, count: number) => {
    const packed = alloc(Uint8Array, packedBytes(count, hidden));
    packWeights(packed.byteOffset, r!.byteOffset + from * hidden * 4, count, 1, hidden, hidden, 0, 1);
    return packed.byteOffset;
  };
  const functions = op === "RNN" ? { f: TANH } : { f: SIGMOID, g: TANH, h: TANH };
  const fields = {
    hidden,
    gates,
    directions: 1,
    isBatchFirst: 1,
    reverse: reverse ? 1 : 0,
    variant: flag,
    clip: Infinity,
    cellClip: Infinity,
    ...functions,
  };
  const options = place(
    Float32Array,
    Float32Array.from(Object.values(Object.assign(new Recurrence(), fields))),
  ).byteOffset;
  const scratch = alloc(Uint8Array, recurrentScratchBytes(rows, hidden, 4)).byteOffset;
  // Steps inside of rows, so that a piece of the rows is a piece of y.
  const y = alloc(Float32Array, rows * STEPS * hidden);
  const [h, c] = [rows * hidden, rows * hidden].map((count) => alloc(Float32Array, count));
  const at = (array: ArrayBufferView) => array.byteOffset;
  const run = (begin: number, end: number) => {
    const start = [at(lengths), at(h0!)] as const;
    const tail = [scratch, options, STEPS, rows, begin, end] as const;
    if (op === "RNN") return rnn(at(y), at(h!), at(z!), pack(0, n), at(bias!), ...start, ...tail);
    if (op === "GRU") {
      const packed = [pack(0, 2 * hidden), pack(2 * hidden, hidden)] as const;
      return gru(at(y), at(h!), 0, at(z!), ...packed, at(bias!), ...start, ...tail);
    }
    const own = [pack(0, n), at(bias!), at(peepholes), ...start, at(c0!)] as const;
    lstm(at(y), at(h!), at(c!), 0, at(z!), ...own, ...tail);
  };
  inPieces(y, rows, next, run);
  const real = (shape: number[], data: ArrayLike<number>) => ({ shape, data: Float64Array.from(data) });
  const identity = Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  const attributes = {
    layout: 1,
    direction: reverse ? "reverse" : "forward",
    ...(op === "GRU" ? { linear_before_reset: flag } : { input_forget: flag }),
  };
  const [steps, last, cell] = forward({ op, name: op, inputs: [], outputs: [], attributes }, [
    real([rows, STEPS, n], z!),
    real([1, n, n], identity),
    real([1, n, hidden], r!),
    real([1, 2 * n], [...new Float64Array(n), ...bias!]),
    real([rows], lengths),
    real([rows, 1, hidden], h0!),
    ...(op === "LSTM" ? [real([rows, 1, hidden], c0!), real([1, 3 * hidden], peepholes)] : []),
  ]);
  const close = (got: ArrayLike<number>, expected: ArrayLike<number>) => {
    for (let i = 0; i < expected.length; i++) expect(got[i]).toBeCloseTo(expected[i]!, 5);
  };
  close(y, steps!.data);
  close(h!, last!.data);
  if (cell) close(c!, cell.data);
}

test.each(CASES)("%s of %i rows, %i numbers a state", (op, rows, hidden) => {
  for (const reverse of [false, true])
    for (const flag of [0, 1]) {
      reset();
      check(op, rows, hidden, reverse, flag);
    }
});
