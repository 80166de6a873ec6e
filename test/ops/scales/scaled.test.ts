import { tensor } from "../../../src/graph/tensor";
import { need, numberAttribute, type Operator } from "../../reference/node";
import { fed, type OpCase, testOp } from "../test-op";

/** The scale's element that element i of x goes by. */
function scaleOf(
  i: number,
  x: readonly number[],
  scale: readonly number[],
  axis: number,
  block: number,
): number {
  const at: number[] = [];
  for (let rest = i, d = x.length - 1; d >= 0; d--) {
    at[d] = rest % x[d]!;
    rest = Math.floor(rest / x[d]!);
  }
  if (block > 0)
    return at.reduce((sum, v, d) => sum * scale[d]! + (d === axis ? Math.floor(v / block) : v), 0);
  return scale.length === 1 && scale[0]! > 1 ? at[axis]! : 0;
}

const rne = (v: number) => {
  const floor = Math.floor(v);
  return v - floor === 0.5 ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(v);
};
const bounds: Readonly<Record<string, readonly [number, number]>> = {
  u8: [0, 255],
  i8: [-128, 127],
  i32: [-(2 ** 31), 2 ** 31 - 1],
};

const of =
  (makes: boolean): Operator =>
  (node, inputs) => {
    const [x, scale] = [need(node, inputs, 0), need(node, inputs, 1)];
    const zero = inputs[2];
    const axis = numberAttribute(node, "axis", 1);
    const block = numberAttribute(node, "block_size", 0);
    const own = axis < 0 ? axis + x.shape.length : axis;
    const dtype = zero?.dtype ?? (node.attributes.output_dtype as "u8" | undefined) ?? "u8";
    const [lo, hi] = bounds[dtype]!;
    const values = Array.from(x.data, (v, i) => {
      const at = scaleOf(i, x.shape, scale.shape, own, block);
      const [s, z] = [scale.data[at]!, zero?.data[at] ?? 0];
      return makes ? Math.min(hi, Math.max(lo, rne(Math.fround(v / s)) + z)) : Math.fround((v - z) * s);
    });
    return tensor(makes ? dtype : "f32", x.shape, values);
  };

const scales = (shape: readonly number[]) => {
  const count = shape.reduce((a, b) => a * b, 1);
  return fed(
    "f32",
    shape,
    Array.from({ length: count }, (_, i) => 0.05 + (i % 7) / 8),
  );
};
const zeros = (dtype: "u8" | "i8" | "i32", shape: readonly number[]) => {
  const count = shape.reduce((a, b) => a * b, 1);
  return fed(
    dtype,
    shape,
    Array.from({ length: count }, (_, i) => (i * 5) % 100),
  );
};
const forms: readonly (readonly [
  x: readonly number[],
  scale: readonly number[],
  attributes: OpCase["attributes"],
])[] = [
  [[3, 17], [], {}],
  [[2, 5, 3, 3], [5], {}],
  [[4, 17], [17], { axis: -1 }],
  [[2, 7, 5], [2, 3, 5], { axis: 1, block_size: 3 }],
  [[3, 8], [3, 2], { axis: 1, block_size: 4 }],
];

testOp("GeneralDequantize", {
  oracle: { operator: of(false) },
  gradient: "none",
  cases: forms.flatMap(([x, scale, attributes]) =>
    (["u8", "i8", "i32"] as const).flatMap((dtype) => [
      {
        what: `${dtype} ${JSON.stringify(attributes)}`,
        inputs: [fed(dtype, x), scales(scale), zeros(dtype, scale)],
        attributes: attributes!,
        // Codes of int32 have no zero point in ONNX.
        ...(dtype === "i32" && { exported: "refused" as const }),
      },
      {
        what: `${dtype} ${JSON.stringify(attributes)} of 0`,
        inputs: [fed(dtype, x), scales(scale)],
        attributes: attributes!,
      },
    ]),
  ),
  refuses: [[[fed("u8", [3, 4]), scales([3])], {}, "scales do not fit"]],
});

testOp("GeneralQuantize", {
  oracle: { operator: of(true) },
  gradient: "none",
  cases: [
    ...forms.flatMap(([x, scale, attributes]) =>
      (["u8", "i8"] as const).map((dtype) => ({
        what: `${dtype} ${JSON.stringify(attributes)}`,
        inputs: [x, scales(scale), zeros(dtype, scale)],
        attributes: attributes!,
      })),
    ),
    { inputs: [[3, 17], scales([])], attributes: { output_dtype: "i8" } },
    { inputs: [[3, 17], scales([])], attributes: { output_dtype: "i32" } },
  ],
  refuses: [[[[3, 4], scales([]), zeros("u8", [2])], {}, "zero points do not fit"]],
});
