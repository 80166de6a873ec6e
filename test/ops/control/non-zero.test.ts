import { tensor } from "../../../src/graph/tensor";
import { testActs } from "./test-acts";

const found = (shape: readonly number[], data: readonly number[], dtype: "f32" | "i32" | "bool") => {
  const at = data.flatMap((value, i) => (value === 0 ? [] : [i]));
  const rows = Math.floor(shape[0]! * shape[1]!) / shape[0]!;
  const indices = [...at.map((i) => Math.floor(i / rows)), ...at.map((i) => i % rows)];
  return { inputs: [tensor(dtype, shape, data)], outputs: [tensor("i32", [2, at.length], indices)] };
};

testActs("NonZero", "floats", {}, [
  found([2, 3], [0, 1, 0, 2, 0, 3], "f32"),
  found([2, 2], [0, 0, 0, 0], "f32"),
  found([1, 4], [1, -1, NaN, 0], "f32"),
  found([3, 0], [], "f32"),
]);
testActs("NonZero", "flags", {}, [found([2, 2], [1, 0, 0, 1], "bool"), found([1, 1], [1], "bool")]);
