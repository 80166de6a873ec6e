import { numberAttribute } from "../../reference/node";
import type { Forward } from "../../reference/oracle";
import { constant, testOp } from "../test-op";

const forward: Forward = (node, [theta, given]) => {
  const [, , ...spatial] = (given ? [...given.data] : node.attributes.size) as number[];
  const n = theta!.shape[0]!;
  const rank = spatial.length;
  const isAligned = numberAttribute(node, "align_corners", 0) !== 0;
  const place = (i: number, size: number) => {
    if (!isAligned) return (2 * i + 1) / size - 1;
    return size > 1 ? (2 * i) / (size - 1) - 1 : 0;
  };
  const places = spatial.reduce((a, b) => a * b, 1);
  const data = Float64Array.from({ length: n * places * rank }, (_, at) => {
    const [i, p, image] = [at % rank, Math.floor(at / rank) % places, Math.floor(at / rank / places)];
    let rest = p;
    const base = spatial.toReversed().map((size) => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return place(index, size);
    });
    const row = (image * rank + i) * (rank + 1);
    return base.reduce((sum, v, j) => sum + v * theta!.data[row + j]!, theta!.data[row + rank]!);
  });
  return [{ shape: [n, ...spatial, rank], data }];
};

testOp("AffineGrid", {
  oracle: { forward },
  gradient: "none",
  cases: [
    { inputs: [["batch", 2, 3]], attributes: { size: ["batch", 1, 4, 5] } },
    { inputs: [["batch", 2, 3]], attributes: { size: ["batch", 3, 3, 1], align_corners: 1 } },
    { inputs: [[2, 3, 4]], attributes: { size: [2, 1, 2, 3, 4] } },
    { inputs: [[1, 3, 4]], attributes: { size: [1, 1, 1, 3, 4], align_corners: 1 } },
    { inputs: [[1, 2, 3], constant([4], [1, 1, 2, 2], "i32")], simplified: true },
  ],
  refuses: [
    [[[1, 2, 2]], { size: [1, 1, 2, 2] }, "theta does not fit: expected [1, 2, 3]"],
    [[[1, 2, 3]], { size: [1, 1, 2] }, "size does not fit"],
    [[[1, 2, 3]], {}, "size is missing"],
  ],
});
