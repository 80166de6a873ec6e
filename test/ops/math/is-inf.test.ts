import { tensor } from "../../../src/graph/tensor";
import { fed, testOp } from "../test-op";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const values = [-inf, -3, nan, -0.5, 0, 0.5, inf, nan, 3, -inf, inf, 1];

testOp("IsInf", {
  oracle: {
    operator: (node, [x]) =>
      tensor(
        "bool",
        x!.shape,
        Array.from(x!.data, (value) =>
          Number(
            (value === inf && node.attributes.detect_positive !== 0) ||
              (value === -inf && node.attributes.detect_negative !== 0),
          ),
        ),
      ),
  },
  cases: [
    { inputs: [["batch", 3, 4, 5]] },
    { inputs: [["batch", 17]] },
    { inputs: [fed("f32", [12], values)] },
    { inputs: [fed("f32", [1], [nan])] },
    { inputs: [fed("f32", [12], values)], attributes: { detect_positive: 0 } },
    { inputs: [fed("f32", [12], values)], attributes: { detect_negative: 0 } },
  ],
  gradient: "none",
  refuses: [[[fed("i32", [3])], {}, "element type of input 0 does not fit: expected f32, got i32"]],
});
