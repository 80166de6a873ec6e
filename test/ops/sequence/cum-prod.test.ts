import type { Forward } from "../../reference/oracle";
import { constant, fed, testOp } from "../test-op";

/** Each element is a factor of all products that it is in. */
const forward: Forward = ({ attributes: { axis, exclusive = 0, reverse = 0 } }, [x, fixed]) => {
  const { shape, data } = x!;
  const at = (axis as number[] | undefined)?.[0] ?? fixed!.data[0]!;
  const along = at < 0 ? at + shape.length : at;
  const [n, inner] = [shape[along]!, shape.slice(along + 1).reduce((a, b) => a * b, 1)];
  const products = new Float64Array(data.length).fill(1);
  for (const [i, value] of data.entries()) {
    const own = Math.floor(i / inner) % n;
    for (let k = 0; k < n; k++) {
      const isIn = reverse ? own > k : own < k;
      if (isIn || (own === k && !exclusive)) products[i + (k - own) * inner]! *= value;
    }
  }
  return [{ shape, data: products }];
};

const image = ["batch", 3, 4, 5];

testOp("CumProd", {
  oracle: { forward },
  cases: [
    { inputs: [["batch", 17]], attributes: { axis: [1] }, from: [-1, 1] },
    { inputs: [["batch", 17]], attributes: { axis: [-1], exclusive: 1 } },
    { inputs: [["batch", 3, 5]], attributes: { axis: [1], reverse: 1 } },
    { inputs: [image], attributes: { axis: [1], exclusive: 1, reverse: 1 } },
    { inputs: [image], attributes: { axis: [3] } },
    { what: "over the rows", inputs: [image], attributes: { axis: [0], reverse: 1 } },
    { what: "of one", inputs: [["batch", 1]], attributes: { axis: [1], exclusive: 1 } },
    { inputs: [fed("i32", [2, 3], [1, -2, 3, 4, 5, -6])], attributes: { axis: [1] } },
    {
      inputs: [fed("i32", [2, 3], [1, -2, 3, 4, 5, -6])],
      attributes: { axis: [0], exclusive: 1, reverse: 1 },
    },
    { inputs: [["batch", 4], constant([], [1], "i32")], simplified: true },
  ],
  infers: [[[["batch", "n", 3]], { axis: [1] }, "[batch, n, 3]"]],
  refuses: [
    [[[2, 3]], {}, "axis is missing"],
    [[[2, 3]], { axis: [2] }, "axis outside of its input's dimensions: expected -2 to 1, got 2"],
    [[fed("u8", [2, 3])], { axis: [1] }, "element type does not fit: expected f32 or i32, got u8"],
  ],
});
