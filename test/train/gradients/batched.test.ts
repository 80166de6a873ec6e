// Rules know shapes with a symbol in them, and what they write runs with fewer samples than there is memory for.

import { test } from "vitest";
import { checkGradient, type GradientCase } from "./check-gradient";

const CASES: readonly GradientCase[] = [
  { op: "Silu", inputs: [[3, 5]] },
  { op: "Flatten", inputs: [[3, 4, 5]] },
  { op: "Transpose", inputs: [[3, 4, 5]], attributes: { perm: [0, 2, 1] } },
  {
    op: "Concat",
    inputs: [
      [3, 2],
      [3, 5],
    ],
    attributes: { axis: 1 },
  },
  { op: "Split", inputs: [[3, 6]], attributes: { axis: 1 }, outputs: 2, used: [1] },
  { op: "Slice", inputs: [[3, 5]], attributes: { starts: [1], ends: [4], axes: [1] } },
  { op: "Pad", inputs: [[3, 2, 4]], attributes: { mode: "reflect", pads: [0, 0, 2, 0, 0, 1] } },
  { op: "Resize", inputs: [[3, 2, 4]], attributes: { scales: [1, 1, 2] } },
  { op: "MaxPool", inputs: [[3, 2, 4, 4]], attributes: { kernel_shape: [2, 2] } },
  { op: "GlobalAveragePool", inputs: [[3, 2, 4, 4]] },
  { op: "ReduceMean", inputs: [[3, 4]], attributes: { axes: [1] } },
  { op: "ReduceMean", inputs: [[3, 4]] },
  { op: "Softmax", inputs: [[3, 5]] },
  {
    op: "MatMul",
    inputs: [
      [3, 4, 5],
      [3, 5, 2],
    ],
  },
  { op: "Expand", inputs: [[3, 1, 5]], attributes: { shape: [1, 4, 1] } },
];

test.each(CASES)("$op of $inputs", (one) => checkGradient({ ...one, batched: true }));
