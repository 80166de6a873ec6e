import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { withModel } from "../../engine/engines";
import { GraphBuilder, randomOf } from "../../graph-builder";
import { fed, testOp } from "../test-op";

const flat = { q_num_heads: 4, kv_num_heads: 2 };
const operands = (rows: number | string) => [
  [rows, 5, 16],
  [rows, 9, 8],
  [rows, 9, 6],
];
const bools = (...shape: number[]) =>
  fed(
    "bool",
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => (i * 7) % 3 && 1),
  );

testOp("Attention", {
  gradient: "none",
  cases: [
    { inputs: operands("batch"), attributes: flat },
    { inputs: operands("batch"), attributes: { ...flat, is_causal: 1, scale: 2, softcap: 3 } },
    {
      inputs: [
        ["batch", 4, 5, 3],
        ["batch", 2, 7, 3],
        ["batch", 2, 7, 5],
      ],
    },
    { inputs: [[2, 4, 5, 3], [2, 4, 7, 3], [2, 4, 7, 5], bools(2, 1, 5, 7)] },
    { inputs: [[2, 4, 5, 3], [2, 4, 7, 3], [2, 4, 7, 5], bools(6)], attributes: { is_causal: 1 } },
    {
      inputs: [
        ["batch", 4, 5, 3],
        ["batch", 4, 7, 3],
        ["batch", 4, 7, 5],
        ["batch", 4, 5, 7],
      ],
    },
    {
      inputs: [
        ["batch", 4, 5, 3],
        ["batch", 4, 7, 3],
        ["batch", 4, 7, 5],
        [4, 1, 7],
      ],
    },
    {
      inputs: [
        ["batch", 5, 16],
        ["batch", 9, 8],
        ["batch", 9, 6],
        [5, 14],
        ["batch", 2, 5, 4],
        ["batch", 2, 5, 3],
      ],
      attributes: { ...flat, is_causal: 1 },
      outputs: 3,
    },
    {
      inputs: [
        ["batch", 2, 4, 3],
        ["batch", 2, 6, 3],
        ["batch", 2, 6, 5],
      ],
      outputs: 3,
    },
    {
      inputs: [[3, 6, 16], [3, 6, 8], [3, 6, 6], "", "", "", fed("i32", [3], [4, 0, 9])],
      attributes: { ...flat, left_window_size: 2, right_window_size: 1 },
    },
    ...[0, 1, 2, 3].map((mode) => ({
      inputs: [[2, 4, 5, 3], [2, 4, 7, 3], [2, 4, 7, 5], bools(1, 4, 5, 7)],
      attributes: { qk_matmul_output_mode: mode, softcap: 2 },
      outputs: 4,
    })),
  ],
  infers: [
    [
      [
        ["batch", "tokens", 16],
        ["batch", "keys", 8],
        ["batch", "keys", 6],
      ],
      flat,
      "[batch, tokens, 12] [batch, 2, keys, 4] [batch, 2, keys, 3] [batch, 4, tokens, keys]",
      4,
    ],
  ],
  refuses: [
    [operands(2), {}, "heads do not fit: expected q_num_heads a multiple of kv_num_heads, got 0 and 0"],
    [
      [
        [2, 5, 16],
        [2, 9, 8],
        [2, 8, 6],
      ],
      flat,
      "input 2 does not fit: expected heads [2, 2, 9, 3], got [2, 8, 6]",
    ],
    [
      [...operands(2), [5, 1]],
      flat,
      "the mask does not fit: expected f32 or bool, within [2, 4, 5, 9], got f32 [5, 1]",
    ],
    [
      operands(2),
      { ...flat, qk_matmul_output_mode: 4 },
      "qk_matmul_output_mode does not fit: expected 0 to 3, got 4",
    ],
    [[...operands(2), "", [2, 2, 5, 4]], flat, "input 5 is missing"],
  ],
});

test("a row of a batch does not feel its padding", () => {
  const [length, padded, size] = [37, 70, 16];
  const { between } = randomOf(1);
  const numbers = Float32Array.from({ length: padded * size }, () => between(-2, 2));
  const run = (tokens: number, fill: number) => {
    const b = new GraphBuilder(1);
    const x = b.input("x", [1, "tokens", size]);
    const lengths = b.input("lengths", [1], "i32");
    const attributes = { q_num_heads: 2, kv_num_heads: 2 };
    b.multiple("Attention", [x, x, x, "", "", "", lengths], ["y"], attributes);
    const data = new Float32Array(tokens * size).fill(fill);
    data.set(numbers.subarray(0, length * size));
    const feeds = { x: tensor("f32", [1, tokens, size], data), lengths: tensor("i32", [1], [length]) };
    return withModel(b.build("y"), {}, (model) => model.runSync(feeds).y!.data.slice(0, length * size));
  };
  const known = run(length, 0);
  expect(run(padded, 7)).toEqual(known);
  expect(run(length + 1, Number.NaN)).toEqual(known);
});
