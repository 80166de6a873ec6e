import { type DType, tensor } from "../../../src/graph/tensor";
import { need } from "../../reference/node";
import { constant, fed, testOp } from "../test-op";
import { endsOf, oracleOf, pairsOf } from "./pairs";

/** The low 32 bits of a whole power; a negative exponent leaves what is whole of the fraction. */
function whole(a: number, n: number): number {
  if (n < 0) return a === 1 ? 1 : a === -1 ? (n % 2 === 0 ? 1 : -1) : 0;
  let y = 1;
  for (let bits = BigInt(n), power = a; bits > 0n; bits >>= 1n, power = Math.imul(power, power))
    if (bits & 1n) y = Math.imul(y, power);
  return y;
}
const real = (a: number, b: number) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);
const powers = oracleOf(real);

testOp("Pow", {
  oracle: {
    operator(node, inputs, bindings) {
      const [x, y] = [need(node, inputs, 0), need(node, inputs, 1)];
      const isWhole = x.dtype !== "f32";
      const of = isWhole
        ? (a: number, b: number) => (Number.isInteger(b) ? whole(a, b) : Math.trunc(a ** b))
        : real;
      const wide = (t: typeof x) => tensor(isWhole && t === x ? "i32" : t.dtype, t.shape, Array.from(t.data));
      const result = oracleOf(of).operator!(node, [wide(x), wide(y)], bindings);
      if (!("data" in result)) throw new Error("one result");
      return tensor(x.dtype, result.shape, result.data);
    },
    forward: powers.forward!,
  },
  cases: [
    ...pairsOf(["f32", "i32", "i8", "u8"], { known: "refused" }),
    ...endsOf(["f32", "i32", "i8", "u8"]),
    ...[0.5, 1, 2, -1].map((exponent) => ({
      inputs: [constant([3], [9, 0.1, 3e4]), constant([], [exponent])],
      known: "only" as const,
    })),
    {
      what: "floats to integers",
      inputs: [["batch", 4], fed("i32", [4], [0, 2, -1, 3])],
      known: "refused",
      from: [0.5, 2],
    },
    {
      what: "floats to bytes",
      inputs: [["batch", 3], fed("u8", [3], [0, 2, 5])],
      known: "refused",
      from: [-2, -0.5],
    },
    {
      what: "integers to floats",
      inputs: [fed("i32", [4], [2, -3, 4, 7]), fed("f32", [4], [3, 3, 0.5, -1])],
      known: "refused",
      gradient: "none",
    },
    {
      what: "bytes to floats",
      inputs: [fed("i8", [4], [2, -3, 4, 7]), fed("f32", [], [2])],
      known: "refused",
      gradient: "none",
    },
    {
      what: "bytes to integers",
      inputs: [fed("u8", [2, 3]), fed("i32", [3], [0, 1, 3])],
      known: "refused",
      gradient: "none",
    },
    { what: "small integers", inputs: [fed("i32", [3], [2, -3, 0]), fed("i32", [3], [30, 3, 0])] },
  ],
  refuses: [[[fed("bool" as DType, [3]), [3]], {}, "element type does not fit"]],
});
