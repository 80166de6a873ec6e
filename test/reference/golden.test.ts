// The reference against PyTorch's own int8 linear layer (fbgemm, 8-bit, per-channel weights): every code is equal.
// PyTorch adds the float bias in units of sx·sw to the accumulator, unrounded; here it is i32 codes, and on these
// arrays no result lies within 0.0028 of a tie, so that both agree.

import { expect, test } from "vitest";
import { readNpz } from "../../src/formats/npz";
import { tensor } from "../../src/graph/tensor";
import { engineClasses, withModel } from "../engine/engines";
import { realFile } from "../formats/fixtures";
import { GraphBuilder } from "../graph-builder";
import { runReference } from "./index";
import { rne } from "./quantize";

const { fround } = Math;
const file = realFile("golden/int8_linear.npz");

test.skipIf(file === undefined).for([
  { relu: false, expected: "y_linear" },
  { relu: true, expected: "y_linear_relu" },
])("PyTorch's int8 linear, identical codes: $expected", ({ relu, expected }) => {
  const arrays = readNpz(file!);
  const array = (name: string) => arrays.get(name)!;
  const scalar = (name: string) => array(name).data[0]!;
  const scales = Float32Array.from(array("w_scale").data);
  const units = scales.map((scale) => scalar("x_scale") * scale);
  const builder = new GraphBuilder();
  builder.input("x_codes", array("x").shape, "u8");
  builder.constant("x_scale", tensor("f32", [], [scalar("x_scale")]));
  builder.constant("x_zero_point", tensor("u8", [], [scalar("x_zero_point")]));
  builder.constant("w_codes", array("w"));
  builder.constant("w_scale", tensor("f32", [24], scales));
  const bias = Array.from(array("bias").data, (b, c) => rne(fround(b / units[c]!)));
  builder.constant("b_codes", tensor("i32", [24], bias));
  const { codes } = builder.layer(
    "Linear",
    [
      { codes: "x_codes", scale: "x_scale", zeroPoint: "x_zero_point" },
      { codes: "w_codes", scale: "w_scale", axis: 0 },
      { codes: "b_codes", scale: "" },
    ],
    "y",
    {
      activation: relu ? "Relu" : undefined,
      range: { scale: scalar("y_scale"), zeroPoint: scalar("y_zero_point"), dtype: "u8" },
    },
  );
  const graph = builder.build(codes);
  const y = runReference(graph, { x_codes: array("x") }).get(codes)!;
  expect(y.shape).toEqual([16, 24]);
  expect([...y.data]).toEqual([...array(expected).data]);
  for (const engineClass of engineClasses)
    withModel(graph, { engineClass }, (model) =>
      expect([...model.runSync({ x_codes: array("x") })[codes]!.data]).toEqual([...array(expected).data]),
    );
});
