import { tensor } from "../../../src/graph/tensor";
import type { Operator } from "../../reference/node";
import { type Forward, realOf } from "../../reference/oracle";
import { constant, fed, testOp } from "../test-op";

/** Sorted pairs of value and index. */
const forward: Forward = ({ attributes: { axis = -1, k, largest = 1 } }, [x, fixed]) => {
  const { shape, data } = x!;
  const along = Number(axis) < 0 ? Number(axis) + shape.length : Number(axis);
  const count = (k as number[] | undefined)?.[0] ?? fixed!.data[0]!;
  const [n, inner] = [shape[along]!, shape.slice(along + 1).reduce((a, b) => a * b, 1)];
  const best = shape.map((dim, i) => (i === along ? count : dim));
  const size = best.reduce((a, b) => a * b, 1);
  const [values, indices] = [new Float64Array(size), new Float64Array(size)];
  for (let o = 0; o < data.length / Math.max(1, n * inner); o++)
    for (let i = 0; i < inner; i++) {
      const of = (p: number) => data[(o * n + p) * inner + i]!;
      const order = Array.from({ length: n }, (_, p) => p);
      order.sort((p, q) => (largest ? of(q) - of(p) : of(p) - of(q)) || p - q);
      for (const [j, p] of order.slice(0, count).entries()) {
        const at = (o * count + j) * inner + i;
        [values[at], indices[at]] = [of(p), p];
      }
    }
  return [
    { shape: best, data: values },
    { shape: best, data: indices },
  ];
};

const ties = [3, 1, 3, 2, 0, 3, 9, 9, 1, 1, 9, 0];

/** Indices are i32 whatever the elements are. */
const operator: Operator = (node, inputs) => {
  const [values, indices] = forward(
    node,
    inputs.map((x) => x && realOf(x)),
  );
  const { dtype } = inputs[0]!;
  return [tensor(dtype, values!.shape, values!.data), tensor("i32", indices!.shape, indices!.data)];
};

testOp("TopK", {
  oracle: { forward, operator },
  cases: [
    { inputs: [["batch", 17]], attributes: { k: [3] }, outputs: 2, gradient: "none" },
    { inputs: [["batch", 17]], attributes: { k: [17], largest: 0 } },
    { inputs: [["batch", 33]], attributes: { k: [1], sorted: 0 } },
    { inputs: [["batch", 4, 5]], attributes: { axis: 1, k: [2] }, outputs: 2, gradient: "none" },
    { inputs: [["batch", 3, 4, 5]], attributes: { axis: -2, k: [4], largest: 0 } },
    { inputs: [["batch", 3]], attributes: { k: [0] }, gradient: "none" },
    { what: "over the rows", inputs: [[5, 3]], attributes: { axis: 0, k: [2] } },
    { inputs: [["batch", 5], constant([1], [2], "i32")], simplified: true },
    { inputs: [fed("i32", [2, 6], ties)], attributes: { k: [4] } },
    { inputs: [fed("i32", [2, 6], ties)], attributes: { k: [4], largest: 0 } },
    { inputs: [fed("u8", [2, 6], ties)], attributes: { k: [4] } },
    {
      inputs: [
        fed(
          "i8",
          [2, 6],
          ties.map((v) => v - 5),
        ),
      ],
      attributes: { k: [4] },
    },
  ],
  infers: [[[["batch", "n", 3]], { axis: 1, k: [2] }, "[batch, 2, 3] [batch, 2, 3]", 2]],
  refuses: [
    [[[2, 3]], {}, "k is missing"],
    [[[2, 3]], { k: [4] }, "k is more than there are: expected at most 3, got 4"],
    [[[2, 3]], { k: [-1] }, "k does not fit: expected a whole number ≥ 0, got -1"],
    [[[2, 3]], { axis: 2, k: [1] }, "axis outside of its input's dimensions: expected -2 to 1, got 2"],
  ],
});
