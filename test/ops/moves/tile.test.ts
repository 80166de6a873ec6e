import { type Tensor, tensor } from "../../../src/graph/tensor";
import type { Operator } from "../../reference/node";
import { dimsAttribute, need } from "../../reference/node";
import type { Forward } from "../../reference/oracle";
import { pick, stridesOf } from "../../reference/view";
import { dims, fed, testOp } from "../test-op";

const operator: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  const repeats = (dimsAttribute(node, "repeats") ?? [...need(node, inputs, 1).data]) as number[];
  const apart = x.shape.flatMap((size, d) => [repeats[d]!, size]);
  const steps = stridesOf(x.shape).flatMap((step) => [0, step]);
  return { ...pick(x, apart, steps), shape: x.shape.map((size, d) => size * repeats[d]!) };
};

/** The same over f64, by the places of elements. */
const forward: Forward = (node, [x]) => {
  const places = tensor("i32", x!.shape, Array.from(x!.data.keys()));
  const { shape, data } = operator(node, [places], {}) as Tensor;
  return [{ shape, data: Float64Array.from(data, (at) => x!.data[at]!) }];
};

testOp("Tile", {
  oracle: { operator, forward },
  cases: [
    { inputs: [[3, 5]], attributes: { repeats: [2, 3] } },
    { inputs: [["batch", 4]], attributes: { repeats: [1, 17] } },
    { inputs: [["batch", 3]], attributes: { repeats: [2, 1] }, gradient: "none" },
    { inputs: [[2, 3, 4, 5]], attributes: { repeats: [1, 1, 2, 2] } },
    { inputs: [[2, 3, 2, 2, 3]], attributes: { repeats: [2, 3, 1, 2, 2] } },
    { what: "as it is", inputs: [[2, 3]], attributes: { repeats: [1, 1] } },
    { what: "of nothing", inputs: [[2, 3]], attributes: { repeats: [2, 0] }, gradient: "none" },
    { inputs: [[]], attributes: { repeats: [] } },
    { inputs: [fed("i32", [2, 2], [1, 2, 3, 4])], attributes: { repeats: [2, 1] }, forms: ["float"] },
    { inputs: [fed("i8", [3])], attributes: { repeats: [4] }, forms: ["float"] },
    { inputs: [fed("bool", [1, 3])], attributes: { repeats: [3, 1] }, forms: ["float"] },
  ],
  infers: [[[["batch", 3]], { repeats: ["n", 2] }, "[batch*n, 6]"]],
  evaluates: [[[dims("h", 3)], { repeats: [2] }, ["h", 3, "h", 3]]],
  refuses: [
    [[[2, 3]], { repeats: [2] }, "repeats does not fit: expected 2 counts, got [2]"],
    [[[2, 3]], {}, "repeats is missing"],
  ],
});
