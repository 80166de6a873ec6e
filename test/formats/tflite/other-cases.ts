// Operators beside layers: elementwise, moves, reductions, over floats and codes.

import { coded, constant, fed, list, type OperatorCase, scalar } from "./operator-case";
import { at, fill, map, meaning, quantized, type Real, real, type Scale, wave, zip } from "./oracle";

const image = [2, 3, 5, 4] as const;
const x = wave(image);
const bytes: Scale = { scale: 1 / 64, zero: 3, min: -128, max: 127 };
const other: Scale = { scale: 1 / 48, zero: -7, min: -128, max: 127 };
const made: Scale = { scale: 1 / 32, zero: 5, min: -128, max: 127 };
const unit: Scale = { scale: 1 / 256, zero: -128, min: -128, max: 127 };

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
const clamp = (v: number, lo: number, hi: number) => Math.min(hi, Math.max(lo, v));

type Unary = readonly [
  name: string,
  code: number,
  f: (v: number) => number,
  options?: OperatorCase["options"],
];
const unary: readonly Unary[] = [
  ["ABS", 101, Math.abs],
  ["ELU", 111, (v) => (v > 0 ? v : Math.expm1(v))],
  ["EXP", 47, Math.exp, {}],
  ["HARD_SWISH", 117, (v) => (v * clamp(v + 3, 0, 6)) / 6, {}],
  ["LEAKY_RELU", 98, (v) => (v > 0 ? v : 0.1 * v), { 0: { float: 0.1 } }],
  ["LOGISTIC", 14, sigmoid],
  ["NEG", 59, (v) => -v],
  ["RELU", 19, (v) => Math.max(0, v)],
  ["RELU6", 21, (v) => clamp(v, 0, 6)],
  ["RELU_N1_TO_1", 20, (v) => clamp(v, -1, 1)],
  ["SQUARE", 92, (v) => v * v],
  ["TANH", 28, Math.tanh],
];
const binary: readonly (readonly [string, number, (a: number, b: number) => number])[] = [
  ["ADD", 0, (a, b) => a + b],
  ["SUB", 41, (a, b) => a - b],
  ["MUL", 18, (a, b) => a * b],
  ["DIV", 42, (a, b) => a / b],
  ["SQUARED_DIFFERENCE", 99, (a, b) => (a - b) ** 2],
];
const operands: readonly Real[] = [wave(image, 2), wave([4], 3), wave([1, 1, 1, 4], 4), wave([], 5)];

/** A row above the image, and a column to its right. */
const around = { ...list(1, 0, 0, 1), shape: [2, 2] };
/** Blocks of 2 by 3 of the image with what is around it, which are `otherwise`, in the batch. */
const inBatch = (from: Real, otherwise: number): Real =>
  fill([12, 2, 2, 4], ([b = 0, i = 0, j = 0, c = 0]) => {
    const [block, n] = [b >> 1, b % 2];
    const [h, w] = [2 * i + Math.floor(block / 3) - 1, 3 * j + (block % 3)];
    return h >= 0 && w < 5 ? at(from, [n, h, w, c]) : otherwise;
  });

const floats: OperatorCase[] = [
  ...unary.map(
    ([name, code, f, options]): OperatorCase => ({
      name,
      code,
      inputs: [fed(map(x, (v) => 4 * v))],
      outputs: [{ expected: map(x, (v) => f(4 * v)) }],
      ...(options && { options }),
    }),
  ),
  ...binary.flatMap(([name, code, f]) =>
    operands.map(
      (b): OperatorCase => ({
        name: `${name} with [${b.shape}]`,
        code,
        inputs: [fed(x), constant(b)],
        outputs: [{ expected: zip(image, x, b, f) }],
        options: {},
      }),
    ),
  ),
];

const q = quantized(x, bytes);
const p = quantized(wave(image, 2), other);
const [qx, px] = [meaning(q, bytes), meaning(p, other)];
const codes: OperatorCase[] = [
  ...(["ADD", "SUB", "MUL"] as const).map((name): OperatorCase => {
    const [, code, f] = binary.find(([own]) => own === name)!;
    return {
      name: `${name} int8`,
      code,
      inputs: [coded(fed(q), bytes), coded(fed(p), other)],
      outputs: [{ expected: quantized(zip(image, qx, px, f), made), codes: made }],
      options: {},
    };
  }),
  ...(
    [
      ["LOGISTIC", unit],
      ["TANH", { ...unit, scale: 1 / 128, zero: 0 }],
    ] as const
  ).map(([name, scale]): OperatorCase => {
    const [, code, f] = unary.find(([own]) => own === name)!;
    return {
      name: `${name} int8`,
      code,
      inputs: [coded(fed(q), bytes)],
      outputs: [{ expected: quantized(map(qx, f), scale), codes: scale }],
    };
  }),
  { name: "QUANTIZE", code: 114, inputs: [fed(x)], outputs: [{ expected: quantized(x, made), codes: made }] },
  {
    name: "QUANTIZE of codes",
    code: 114,
    inputs: [coded(fed(q), bytes)],
    outputs: [{ expected: quantized(qx, made), codes: made }],
  },
  { name: "DEQUANTIZE", code: 6, inputs: [coded(fed(q), bytes)], outputs: [{ expected: qx }] },
  {
    name: "CONCATENATION int8",
    code: 2,
    inputs: [coded(fed(q), bytes), coded(fed(q), bytes)],
    outputs: [
      {
        expected: fill([2, 3, 5, 8], ([n = 0, h = 0, w = 0, c = 0]) => at(q, [n, h, w, c % 4])),
        codes: bytes,
      },
    ],
    options: { 0: { int: 3 } },
  },
  {
    name: "SPACE_TO_BATCH_ND int8: what is around it is the zero point",
    code: 38,
    inputs: [coded(fed(q), bytes), list(2, 3), around],
    outputs: [{ expected: inBatch(q, bytes.zero), codes: bytes }],
    tolerance: 0,
  },
  {
    name: "MEAN int8",
    code: 40,
    inputs: [coded(fed(q), bytes), list(1, 2)],
    outputs: [
      {
        expected: quantized(
          fill([2, 4], ([n, c]) => mean(qx, n!, c!)),
          bytes,
        ),
        codes: bytes,
      },
    ],
    options: { 0: { byte: 0 } },
  },
];

/** Of an image's channel. */
function mean(of: Real, n: number, c: number): number {
  let sum = 0;
  for (let h = 0; h < 3; h++) for (let w = 0; w < 5; w++) sum += at(of, [n, h, w, c]);
  return sum / 15;
}

/** Softmax of rows of 4. */
const rows = wave([3, 4], 6);
const softmax = fill([3, 4], ([n, c]) => {
  const all = [0, 1, 2, 3].map((i) => Math.exp(2 * at(rows, [n!, i])));
  return all[c!]! / all.reduce((sum, v) => sum + v, 0);
});

const moves: OperatorCase[] = [
  {
    name: "SOFTMAX",
    code: 25,
    inputs: [fed(rows)],
    outputs: [{ expected: softmax }],
    options: { 0: { float: 2 } },
  },
  {
    name: "RESHAPE",
    code: 22,
    inputs: [fed(x), list(2, -1)],
    outputs: [{ expected: real([2, 60], x.data) }],
  },
  {
    name: "RESHAPE by its options",
    code: 22,
    inputs: [fed(x)],
    outputs: [{ expected: real([2, 60], x.data) }],
    options: { 0: { ints: [2, 60] } },
  },
  {
    name: "CONCATENATION",
    code: 2,
    inputs: [fed(x), fed(x)],
    outputs: [{ expected: fill([2, 6, 5, 4], ([n = 0, h = 0, w = 0, c = 0]) => at(x, [n, h % 3, w, c])) }],
    options: { 0: { int: 1 } },
  },
  {
    name: "TRANSPOSE",
    code: 39,
    inputs: [fed(x), list(0, 3, 1, 2)],
    outputs: [{ expected: fill([2, 4, 3, 5], ([n = 0, c = 0, h = 0, w = 0]) => at(x, [n, h, w, c])) }],
  },
  {
    name: "PAD",
    code: 34,
    inputs: [fed(x), { ...list(0, 0, 1, 2, 0, 1, 0, 0), shape: [4, 2] }],
    outputs: [
      {
        expected: fill([2, 6, 6, 4], ([n = 0, h = 0, w = 0, c = 0]) =>
          h >= 1 && h < 4 && w < 5 ? at(x, [n, h - 1, w, c]) : 0,
        ),
      },
    ],
  },
  {
    name: "SPACE_TO_BATCH_ND",
    code: 38,
    inputs: [fed(x), list(2, 3), around],
    outputs: [{ expected: inBatch(x, 0) }],
  },
  {
    name: "SPACE_TO_BATCH_ND of one axis",
    code: 38,
    inputs: [fed(wave([1, 6, 2])), list(3), { ...list(0, 0), shape: [1, 2] }],
    outputs: [
      { expected: fill([3, 2, 2], ([n = 0, h = 0, c = 0]) => at(wave([1, 6, 2]), [0, 3 * h + n, c])) },
    ],
  },
  {
    name: "BATCH_TO_SPACE_ND",
    code: 37,
    inputs: [fed(wave([12, 2, 2, 4])), list(2, 3), around],
    outputs: [
      {
        expected: fill(image, ([n = 0, h = 0, w = 0, c = 0]) => {
          const block = 3 * ((h + 1) % 2) + (w % 3);
          return at(wave([12, 2, 2, 4]), [2 * block + n, (h + 1) >> 1, Math.floor(w / 3), c]);
        }),
      },
    ],
  },
  {
    name: "MIRROR_PAD with the border",
    code: 100,
    inputs: [fed(rows), { ...list(0, 0, 2, 1), shape: [2, 2] }],
    outputs: [{ expected: fill([3, 7], ([n = 0, c = 0]) => at(rows, [n, [1, 0, 0, 1, 2, 3, 3][c]!])) }],
    options: { 0: { byte: 1 } },
  },
  {
    name: "STRIDED_SLICE with masks",
    code: 45,
    inputs: [fed(x), list(1, 0, 4, 0), list(2, 9, 0, 3), list(1, 2, -2, 1)],
    outputs: [{ expected: fill([2, 2, 3], ([h = 0, w = 0, c = 0]) => at(x, [1, 2 * h, 4 - 2 * w, c])) }],
    options: { 0: { int: 0 }, 1: { int: 2 }, 2: { int: 0 }, 3: { int: 0 }, 4: { int: 1 } },
  },
  {
    name: "SLICE",
    code: 65,
    inputs: [fed(x), list(0, 1, 0, 2), list(2, 2, -1, 1)],
    outputs: [{ expected: fill([2, 2, 5, 1], ([n = 0, h = 0, w = 0]) => at(x, [n, h + 1, w, 2])) }],
  },
  {
    name: "SPLIT",
    code: 49,
    inputs: [scalar(3), fed(x)],
    outputs: [0, 2].map((from) => ({
      expected: fill([2, 3, 5, 2], ([n = 0, h = 0, w = 0, c = 0]) => at(x, [n, h, w, c + from])),
    })),
    options: { 0: { int: 2 } },
  },
  {
    name: "PACK",
    code: 83,
    inputs: [fed(rows), fed(rows)],
    outputs: [{ expected: fill([3, 2, 4], ([n = 0, , c = 0]) => at(rows, [n, c])) }],
    options: { 0: { int: 2 }, 1: { int: 1 } },
  },
  {
    name: "UNPACK",
    code: 88,
    inputs: [fed(rows)],
    outputs: [0, 1, 2].map((n) => ({ expected: fill([4], ([c = 0]) => at(rows, [n, c])) })),
    options: { 0: { int: 3 }, 1: { int: 0 } },
  },
  {
    name: "MEAN",
    code: 40,
    inputs: [fed(x), list(1, 2)],
    outputs: [{ expected: fill([2, 1, 1, 4], ([n = 0, , , c = 0]) => mean(x, n, c)) }],
    options: { 0: { byte: 1 } },
  },
  {
    name: "RESIZE_NEAREST_NEIGHBOR",
    code: 97,
    inputs: [fed(x), list(6, 10)],
    outputs: [
      { expected: fill([2, 6, 10, 4], ([n = 0, h = 0, w = 0, c = 0]) => at(x, [n, h >> 1, w >> 1, c])) },
    ],
    options: { 0: { byte: 0 }, 1: { byte: 0 } },
  },
  ...[false, true].map((isAligned): OperatorCase => {
    const place = (i: number, from: number, to: number) =>
      isAligned ? (i * (from - 1)) / (to - 1) : Math.max(0, ((i + 0.5) * from) / to - 0.5);
    return {
      name: `RESIZE_BILINEAR ${isAligned ? "of corners" : "of centres"}`,
      code: 23,
      inputs: [fed(x), list(7, 4)],
      outputs: [
        {
          expected: fill([2, 7, 4, 4], ([n = 0, h = 0, w = 0, c = 0]) => {
            const [row, col] = [place(h, 3, 7), place(w, 5, 4)];
            const [top, left] = [Math.floor(row), Math.floor(col)];
            const pixel = (i: number, j: number) => at(x, [n, Math.min(2, i), Math.min(4, j), c]);
            const along = (i: number) =>
              pixel(i, left) * (1 + left - col) + pixel(i, left + 1) * (col - left);
            return along(top) * (1 + top - row) + along(top + 1) * (row - top);
          }),
        },
      ],
      options: { 2: { byte: isAligned ? 1 : 0 }, 3: { byte: isAligned ? 0 : 1 } },
    };
  }),
  {
    name: "CUMSUM",
    code: 128,
    inputs: [fed(rows), list(1)],
    outputs: [
      {
        expected: fill([3, 4], ([n = 0, c = 0]) =>
          [0, 1, 2, 3].reduce((sum, i) => (i > c ? sum + at(rows, [n, i]) : sum), 0),
        ),
      },
    ],
    options: { 0: { byte: 1 }, 1: { byte: 1 } },
  },
  {
    name: "GATHER",
    code: 36,
    inputs: [fed(rows), list(3, 1)],
    outputs: [{ expected: fill([3, 2], ([n = 0, i = 0]) => at(rows, [n, [3, 1][i]!])) }],
    options: { 0: { int: 1 } },
  },
];

export const otherCases: readonly OperatorCase[] = [...floats, ...codes, ...moves];
