import { dims, fed, testOp } from "../test-op";
import { constantAxes, floats, integers, reducing } from "./oracle";

testOp("ReduceProd", {
  oracle: reducing((all) => all.reduce((a, b) => a * b, 1)),
  cases: [...floats.map((one) => ({ ...one, from: [-1.2, 1.2] as const })), ...integers, constantAxes],
  refuses: [[[fed("u8", [2, 3])], { axes: [1] }, "element type does not fit: expected f32, i32, got u8"]],
  infers: [[[["batch", 3, "h", "w"]], { axes: [-1, 1], keepdims: 0 }, "[batch, h]"]],
  evaluates: [[[dims("batch", 3, "h")], { keepdims: 0 }, ["3*batch*h"]]],
});
