import { tensor } from "../../../src/graph/tensor";
import { constant, dims, fed, testOp } from "../test-op";

const floats = (...values: number[]) => tensor("f32", [values.length], values);

testOp("Cast", {
  cases: [
    { inputs: [fed("i32", ["batch", 5])], attributes: { to: "u8" } },
    { inputs: [fed("i32", ["batch", 3, 2, 2])], attributes: { to: "u8" } },
    { what: "to what it is", inputs: [["batch", 3]], attributes: { to: "f32" }, known: "only" },
    {
      what: "of floats",
      inputs: [constant([5], [2.9, -2.9, -0.5, 0, 7])],
      attributes: { to: "i32" },
      known: "only",
    },
    { what: "to bool", inputs: [constant([3], [0.5, 0, -2])], attributes: { to: "bool" }, known: "only" },
  ],
  gradient: "none",
  refuses: [
    [
      [[5]],
      { to: "f64" },
      "attribute to does not fit: expected f32, i8, u8, i32, bool, i4, u4, i16, u16, u32, u64, got f64",
    ],
  ],
  evaluates: [
    [[dims("batch", 3, "h")], { to: "i32" }, ["batch", 3, "h"]],
    [[dims("batch", 3, "h")], { to: "f32" }, undefined],
    [[floats(2.9, -2.9, -0.5)], { to: "i32" }, [2, -2, 0]],
    [[floats(3e9)], { to: "i32" }, undefined],
    [[floats(Number.NaN)], { to: "i32" }, undefined],
  ],
});
