import type { Forward } from "../../reference/oracle";
import { fed, testOp } from "../test-op";

/** By the first row's minors. */
function determinant(a: readonly (readonly number[])[]): number {
  if (a.length === 0) return 1;
  const [first, ...rest] = a as [readonly number[], ...(readonly number[])[]];
  return first.reduce((sum, value, j) => {
    const minor = rest.map((row) => row.filter((_, i) => i !== j));
    return sum + (j % 2 === 0 ? 1 : -1) * value * determinant(minor);
  }, 0);
}

const forward: Forward = (_, [x]) => {
  const { shape, data } = x!;
  const n = shape.at(-1)!;
  const outer = shape.slice(0, -2);
  const matrix = (m: number) =>
    Array.from({ length: n }, (_, i) => [...data.slice((m * n + i) * n, (m * n + i + 1) * n)]);
  const count = outer.reduce((a, b) => a * b, 1);
  return [{ shape: outer, data: Float64Array.from({ length: count }, (_, m) => determinant(matrix(m))) }];
};

testOp("Det", {
  oracle: { forward },
  cases: [
    ...[1, 2, 3, 4, 7].map((n) => ({ inputs: [["batch", n, n]] })),
    { inputs: [[2, "batch", 3, 3]] },
    { inputs: [[4, 4]] },
    { what: "zeros where pivots are", inputs: [fed("f32", [3, 3], [0, 2, 1, 3, 0, 1, 0, 0, 4])] },
    { what: "without an inverse", inputs: [fed("f32", [3, 3], [1, 2, 3, 2, 4, 6, 1, 0, 1])] },
  ],
  infers: [
    [[["batch", 3, 3]], {}, "[batch]"],
    [[["batch", "n", "m"]], {}, "[batch]"],
  ],
  refuses: [
    [[[3, 4]], {}, "its matrices are not square"],
    [[[3]], {}, "its matrices are not square"],
  ],
});
