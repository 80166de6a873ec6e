import { dims, testOp } from "../test-op";
import { endsOf, oracleOf, pairsOf } from "./pairs";

const floor = (a: number, b: number) => (b === 0 ? 0 : a - b * Math.floor(a / b));
const cut = (a: number, b: number, dtype: string) => (b === 0 && dtype !== "f32" ? 0 : a % b);

testOp("Mod", {
  oracle: {
    operator: (node, inputs, bindings) =>
      oracleOf(node.attributes.fmod === 1 ? cut : floor).operator!(node, inputs, bindings),
  },
  cases: [
    ...pairsOf(["i32", "i8", "u8"], { known: "refused" }),
    ...pairsOf(["f32"], { attributes: { fmod: 1 } }),
    ...pairsOf(["i32", "i8", "u8"], { attributes: { fmod: 1 }, known: "refused" }),
    ...endsOf(["i32", "i8", "u8"]),
    ...endsOf(["f32", "i32", "i8", "u8"], { attributes: { fmod: 1 } }),
  ],
  gradient: "none",
  refuses: [[[[3], [3]], {}, "the remainder of floats has fmod = 1"]],
  evaluates: [
    [[dims("6*n", -7), dims(3)], {}, [0, 2]],
    [[dims(-7), dims(3)], { fmod: 1 }, [-1]],
    [[dims("6*n", 2), dims("n")], {}, [0, "2+-1*n*trunc(2,n)"]],
    [[dims("$k"), dims("n")], {}, undefined],
  ],
});
