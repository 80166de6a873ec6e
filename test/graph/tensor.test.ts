// Tensors from numbers: as many as the shape says, of a dtype that there is.

import { expect, test } from "vitest";
import { tensor } from "../../src/graph/tensor";

test("as many values as the shape has elements make a tensor", () => {
  expect(tensor("i8", [2, 2], [1, -2, 3, 300])).toEqual({
    dtype: "i8",
    shape: [2, 2],
    data: Int8Array.of(1, -2, 3, 44),
  });
  expect(tensor("f32", [2], [])).toEqual({ dtype: "f32", shape: [2], data: new Float32Array(2) });
  for (const values of [[1, 2, 3], [1, 2, 3, 4, 5], undefined])
    expect(() => tensor("f32", [2, 2], values as never)).toThrow(
      "tensor: the values do not make a tensor: expected 4",
    );
  for (const dtype of ["i64", "float32", "toString"])
    expect(() => tensor(dtype as never, [1], [1])).toThrow(`got 1 of ${dtype}`);
});
