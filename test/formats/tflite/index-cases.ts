// Operators that put elements at indices or find these, of bits and of volumes.

import { constant, fed, list, type OperatorCase } from "./operator-case";
import { at, dense, fill, real, wave } from "./oracle";

const rows = wave([3, 4], 6);
const volume = wave([2, 3, 4, 5, 2], 3);
const kernel = wave([2, 3, 2, 2, 3], 4);
const lines = wave([2, 3, 4], 5);
const weights = wave([5, 4], 7);

/** A convolution of a volume over three axes, one step along the depth and the width, two along the height. */
const convolved = (isSame: boolean) =>
  fill(isSame ? [2, 3, 2, 5, 3] : [2, 2, 1, 4, 3], ([n = 0, z = 0, y = 0, x = 0, o = 0]) => {
    let sum = wave([3], 8).data[o]!;
    for (let d = 0; d < 2; d++)
      for (let h = 0; h < 3; h++)
        for (let w = 0; w < 2; w++) {
          const [i, j, k] = [z + d, 2 * y + h, x + w];
          if (i > 2 || j > 3 || k > 4) continue;
          for (let c = 0; c < 2; c++) sum += at(volume, [n, i, j, k, c]) * at(kernel, [d, h, w, c, o]);
        }
    return sum;
  });

export const indexCases: readonly OperatorCase[] = [
  {
    name: "SCATTER_ND adds what falls together",
    code: 122,
    inputs: [{ ...list(4, 1, 4), shape: [3, 1] }, fed(rows), list(6, 4)],
    outputs: [
      {
        expected: fill([6, 4], ([n = 0, c = 0]) =>
          [4, 1, 4].reduce((sum, row, i) => (row === n ? sum + at(rows, [i, c]) : sum), 0),
        ),
      },
    ],
  },
  {
    name: "SCATTER_ND of integers",
    code: 122,
    inputs: [{ ...list(1, 0, 0, 2), shape: [2, 2] }, fed(real([2], [7, -3]), "i32"), list(2, 3)],
    outputs: [{ expected: real([2, 3], [0, 0, -3, 7, 0, 0]), type: "i32" }],
  },
  {
    name: "SEGMENT_SUM",
    code: 125,
    inputs: [fed(rows), list(0, 2, 2)],
    outputs: [
      {
        expected: fill([3, 4], ([n = 0, c = 0]) =>
          [0, 2, 2].reduce((sum, row, i) => (row === n ? sum + at(rows, [i, c]) : sum), 0),
        ),
      },
    ],
  },
  {
    name: "WHERE",
    code: 109,
    inputs: [fed(real([2, 3], [0, 1, 1, 0, 0, 1]), "bool")],
    outputs: [{ expected: real([3, 2], [0, 1, 0, 2, 1, 2]), type: "i64" }],
  },
  {
    name: "MATRIX_DIAG",
    code: 113,
    inputs: [fed(rows)],
    outputs: [{ expected: fill([3, 4, 4], ([n = 0, i = 0, j = 0]) => (i === j ? at(rows, [n, i]) : 0)) }],
  },
  {
    name: "BITWISE_XOR",
    code: 160,
    inputs: [fed(real([4], [5, -1, 0, 1023]), "i32"), list(3, 3, 3, 3)],
    outputs: [{ expected: real([4], [6, -4, 3, 1020]), type: "i32" }],
  },
  ...[true, false].map(
    (isSame): OperatorCase => ({
      name: `CONV_3D, ${isSame ? "padded" : "valid"}`,
      code: 132,
      inputs: [fed(volume), constant(kernel), constant(wave([3], 8))],
      outputs: [{ expected: convolved(isSame) }],
      options: { 0: { byte: isSame ? 0 : 1 }, 1: { int: 1 }, 2: { int: 1 }, 3: { int: 2 } },
    }),
  ),
  {
    name: "FULLY_CONNECTED over lines by computed weights",
    code: 9,
    inputs: [fed(lines), fed(weights), constant(wave([5], 8))],
    outputs: [{ expected: { ...dense(lines, weights, wave([5], 8)), shape: [2, 3, 5] } }],
    options: { 2: { byte: 1 } },
  },
];
