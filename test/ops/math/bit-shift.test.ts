import { fed, testOp } from "../test-op";
import { oracleOf, pairsOf } from "./pairs";

const numbers = [0, 1, 2, 3, 128, 255, 77];
const counts = [0, 1, 7, 8, 31, 32, 200];
const all = (dtype: "u8" | "i32") => [
  fed(
    dtype,
    [7, 7],
    numbers.flatMap((x) => counts.map(() => x)),
  ),
  fed(dtype, [7], counts),
];

testOp("BitShift", {
  oracle: {
    operator: (node, inputs, bindings) => {
      const isLeft = node.attributes.direction === "LEFT";
      const shift = (a: number, b: number) => (b > 31 || b < 0 ? 0 : isLeft ? a << b : a >>> b);
      return oracleOf(shift).operator!(node, inputs, bindings);
    },
  },
  cases: ["LEFT", "RIGHT"].flatMap((direction) => [
    ...pairsOf(["u8"], { attributes: { direction } }),
    { what: direction, inputs: all("u8"), attributes: { direction } },
    { what: direction, inputs: all("i32"), attributes: { direction }, exported: "refused" as const },
  ]),
  gradient: "none",
  refuses: [[[fed("u8", [3]), fed("u8", [3])], { direction: "UP" }, "expected LEFT or RIGHT, got UP"]],
});
