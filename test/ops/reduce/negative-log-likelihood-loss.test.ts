import type { Forward } from "../../reference/oracle";
import { constant, fed, testOp } from "../test-op";

const forward: Forward = ({ attributes: { ignore_index, reduction = "mean" } }, [x, labels, weights]) => {
  const [samples, classes, ...rest] = x!.shape as [number, number, ...number[]];
  const inner = rest.reduce((a, b) => a * b, 1);
  const shares = Array.from(labels!.data, (label) =>
    label === ignore_index || label < 0 || label >= classes ? 0 : (weights?.data[label] ?? 1),
  );
  const losses = Float64Array.from(labels!.data, (label, at) => {
    const from = (Math.floor(at / inner) * classes + label) * inner + (at % inner);
    return shares[at] === 0 ? 0 : -shares[at]! * x!.data[from]!;
  });
  if (reduction === "none") return [{ shape: [samples, ...rest], data: losses }];
  const sum = losses.reduce((a, b) => a + b, 0);
  const all = shares.reduce((a, b) => a + b, 0);
  return [{ shape: [], data: Float64Array.of(reduction === "sum" ? sum : sum / all) }];
};

const labels = fed("i32", [5], [0, 2, 1, 2, 0]);
const some = fed("i32", [5, 2], [0, 2, 1, 2, -7, 1, 0, 2, 9, 1]);
const three = constant([3], [0.5, 2, 1]);

testOp("NegativeLogLikelihoodLoss", {
  oracle: { forward },
  cases: [
    { inputs: [[5, 3], labels] },
    { inputs: [[5, 3], labels], attributes: { reduction: "sum" } },
    { inputs: [[5, 3], labels, three], attributes: { reduction: "mean", ignore_index: 0 } },
    { inputs: [[5, 3], labels, three], attributes: { reduction: "none" } },
    { inputs: [[5, 3, 2], some, three], attributes: { reduction: "none", ignore_index: -7 } },
    { inputs: [[5, 3, 2], some, three], attributes: { ignore_index: 1 } },
    { inputs: [[5, 3, 1, 2], fed("i32", [5, 1, 2], some.values!)], attributes: { reduction: "sum" } },
    {
      inputs: [["batch", 3], fed("i32", ["batch"], labels.values!)],
      attributes: { reduction: "none" },
      gradient: "none",
    },
  ],
  infers: [
    [[["batch", 3, "h"], fed("i32", ["batch", "h"])], { reduction: "none" }, "[batch, h]"],
    [[["batch", 3, "h"], fed("i32", ["batch", "h"])], {}, "[]"],
  ],
  refuses: [
    [[[5], labels], {}, "input 0 does not fit: expected samples, classes and more, got [5]"],
    [[[4, 3], labels], {}, "labels do not fit: expected i32 [4], got i32 [5]"],
    [[[5, 4], labels, three], {}, "weights do not fit: expected one a class, [4], got [3]"],
    [
      [[5, 3], labels],
      { reduction: "most" },
      "attribute reduction does not fit: expected mean, sum or none, got most",
    ],
  ],
});
