import type { Node } from "../../../src/graph/graph";
import { type DType, type Tensor, tensor } from "../../../src/graph/tensor";
import { constant, dims, fed, testOp } from "../test-op";

const floats = (...values: number[]) => tensor("f32", [values.length], values);
const dtypes: readonly DType[] = ["f32", "i32", "i8", "u8", "bool"];
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Bits of integers that are held in a wider dtype. */
const narrow: Readonly<Record<string, readonly [dtype: DType, bits: number, isSigned: boolean]>> = {
  i4: ["i8", 4, true],
  u4: ["u8", 4, false],
  i16: ["i32", 16, true],
  u16: ["i32", 16, false],
};

/** Fractions are cut off, what i32 does not hold is the nearest it has, NaN is 0; bytes keep low bits. */
function castAs(node: Node, x: Tensor): Tensor {
  const to = node.attributes.to as string;
  const [dtype, bits = 0, isSigned = false] = narrow[to] ?? [(to === "u32" ? "i32" : to) as DType];
  const numbers = Array.from(x.data, (value) => {
    if (dtype === "f32") return value;
    if (dtype === "bool") return Number(value !== 0);
    const whole = Number.isNaN(value) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(value)));
    if (bits === 0) return whole;
    return isSigned ? (whole << (32 - bits)) >> (32 - bits) : whole & (2 ** bits - 1);
  });
  return tensor(dtype, x.shape, numbers);
}

const ends: Readonly<Record<DType, readonly number[]>> = {
  f32: [2.9, -2.9, -0.5, 0, 7, 300, -300, 1e6],
  i32: [-0x80000000, 0x7fffffff, 255, 256, -129, -1, 0, 1],
  i8: [-128, 127, -1, 0, 1, 5, 6, 7],
  u8: [0, 255, 128, 127, 1, 5, 6, 7],
  bool: [0, 1, 1, 0, 1, 0, 0, 1],
};

testOp("Cast", {
  oracle: { operator: (node, [x]) => castAs(node, x!) },
  cases: [
    ...dtypes.flatMap((from) =>
      dtypes
        .filter((to) => to !== from)
        .flatMap((to) => [
          { inputs: [from === "f32" ? ["batch", 17] : fed(from, ["batch", 17])], attributes: { to } },
          { inputs: [fed(from, [8], ends[from])], attributes: { to } },
        ]),
    ),
    { inputs: [["batch", 3, 4, 5]], attributes: { to: "i32" } },
    { inputs: [fed("u8", ["batch", 3, 2, 2])], attributes: { to: "f32" } },
    {
      what: "beyond i32",
      inputs: [fed("f32", [5], [3e9, -3e9, nan, inf, -inf])],
      attributes: { to: "i32" },
      known: "refused",
    },
    {
      what: "beyond bytes",
      inputs: [fed("f32", [4], [nan, inf, -inf, -1])],
      attributes: { to: "u8" },
      known: "refused",
    },
    { what: "to bool", inputs: [fed("f32", [4], [nan, inf, -0, 0.1])], attributes: { to: "bool" } },
    ...["i4", "u4", "i16", "u16"].map((to) => ({ inputs: [fed("i32", [8], ends.i32)], attributes: { to } })),
    ...["i16", "u16"].map((to) => ({ inputs: [fed("i8", [8], ends.i8)], attributes: { to } })),
    { inputs: [fed("u8", [8], ends.u8)], attributes: { to: "u32" } },
    { what: "to what it is", inputs: [["batch", 3]], attributes: { to: "f32" }, known: "only" },
    {
      what: "of floats",
      inputs: [constant([5], [2.9, -2.9, -0.5, 0, 7])],
      attributes: { to: "i32" },
      known: "only",
    },
  ],
  gradient: "none",
  refuses: [
    [
      [[5]],
      { to: "f64" },
      "attribute to does not fit: expected f32, i8, u8, i32, bool, i4, u4, i16, u16, u32, u64, got f64",
    ],
    [[fed("i32", [5])], { to: "u32" }, "integers below 0 would be beyond i32"],
    [[constant([1], [3e9])], { to: "i32" }, "it is of numbers that i32 does not hold"],
  ],
  evaluates: [
    [[dims("batch", 3, "h")], { to: "i32" }, ["batch", 3, "h"]],
    [[dims("batch", 3, "h")], { to: "f32" }, undefined],
    [[floats(2.9, -2.9, -0.5)], { to: "i32" }, [2, -2, 0]],
    [[floats(3e9)], { to: "i32" }, undefined],
    [[floats(3e9)], { to: "u8" }, [255]],
    [[floats(Number.NaN)], { to: "i32" }, undefined],
  ],
});
