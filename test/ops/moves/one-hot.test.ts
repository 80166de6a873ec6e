import { sizeOf, tensor } from "../../../src/graph/tensor";
import { axisOf, listParameter, need, numberAttribute, type Operator } from "../../reference/node";
import { constant, fed, testOp } from "../test-op";

const operator: Operator = (node, inputs) => {
  const [indices, values] = [need(node, inputs, 0), need(node, inputs, 2)];
  const [depth] = listParameter(node, inputs, 1, "depth") as [number];
  const rank = indices.shape.length;
  const axis = axisOf(node, numberAttribute(node, "axis", -1), rank + 1);
  const shape = indices.shape.toSpliced(axis, 0, depth);
  const inner = sizeOf(shape.slice(axis + 1));
  const isOn = (at: number) => {
    const [o, d, i] = [Math.floor(at / depth / inner), Math.floor(at / inner) % depth, at % inner];
    const index = Math.trunc(indices.data[o * inner + i]!);
    return index === d || index + depth === d;
  };
  return tensor(
    values.dtype,
    shape,
    Array.from({ length: sizeOf(shape) }, (_, at) => values.data[isOn(at) ? 1 : 0]!),
  );
};

const indices = fed("i32", [2, 3], [0, 2, -1, 4, -5, 1]);

testOp("OneHot", {
  oracle: { operator },
  cases: [
    { inputs: [indices, "", [2]], attributes: { depth: [4] } },
    { inputs: [indices, "", [2]], attributes: { depth: [3], axis: 1 } },
    { inputs: [indices, "", constant([2], [0, 1])], attributes: { depth: [17], axis: 0 } },
    { inputs: [fed("i32", ["batch"], [0, 1, 2, 3, -1]), "", [2]], attributes: { depth: [3] } },
    { inputs: [[5], "", fed("i32", [2], [-1, 7])], attributes: { depth: [3], axis: -1 } },
    { inputs: [fed("u8", [3], [0, 2, 255]), "", fed("u8", [2])], attributes: { depth: [3] } },
    { inputs: [fed("i8", [3], [-1, 2, -128]), "", fed("i8", [2], [-128, 127])], attributes: { depth: [3] } },
    { inputs: [fed("i32", [], [1]), "", fed("bool", [2], [0, 1])], attributes: { depth: [3] } },
    { inputs: [indices, "", [2]], attributes: { depth: [0] } },
    { inputs: [indices, constant([], [5]), constant([2], [0, 1])], simplified: true },
  ],
  gradient: "none",
  infers: [[[fed("i32", ["n", 2]), "", [2]], { depth: ["k"], axis: 1 }, "[n, k, 2]"]],
  refuses: [
    [[indices, "", [3]], { depth: [4] }, "values does not fit: expected [2], got [3]"],
    [[indices, "", [2]], {}, "depth is missing"],
  ],
});
