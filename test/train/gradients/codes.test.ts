// Rules over codes: a gradient is that of the numbers the codes stand for, compared with central differences of the float op
// there. Codes are all different and none is a zero point, so that no difference is taken across a kink.

import { describe, expect, test } from "vitest";
import type { DifferentiableOp } from "../../../build/groups/gradients";
import { Model } from "../../../src/engine/model";
import { unitsOf } from "../../../src/engine/units";
import type { Node } from "../../../src/graph/graph";
import { sizeOf, type Tensor, tensor } from "../../../src/graph/tensor";
import { inferTypes } from "../../../src/ops/infer";
import { randomOf } from "../../graph-builder";
import { forwards, type Real } from "../reference/forward";
import { differences, expectClose, GradientGraph, ops, trainingEngine } from "./check-gradient";

type CodeType = "u8" | "i8";

interface Range {
  readonly scale: number;
  readonly zeroPoint: number;
}

const X: Range = { scale: Math.fround(0.03), zeroPoint: 101 };
/** Wide enough for every result. */
const WIDE: Range = { scale: Math.fround(0.2), zeroPoint: 100 };

interface CodedCase {
  readonly op: DifferentiableOp;
  readonly attributes?: Node["attributes"];
  readonly inputs: readonly (readonly number[])[];
  /** Of the result; without one it has that of the inputs. */
  readonly y?: Range;
  readonly activation?: "Relu";
  readonly dtype?: CodeType;
}

/** Different codes, none of them `zeroPoint`. */
function codesFor(shape: readonly number[], zeroPoint: number, seed: number): number[] {
  const { below } = randomOf(seed);
  const codes = Array.from({ length: 256 }, (_, q) => q).filter((q) => q !== zeroPoint);
  return Array.from({ length: sizeOf(shape) }, () => codes.splice(below(codes.length), 1)[0]!);
}

function checkCodes({ op, attributes = {}, inputs, y = X, activation, dtype = "u8" }: CodedCase): void {
  const g = new GradientGraph();
  const shift = dtype === "i8" ? 128 : 0;
  const parameters = (name: string, { scale, zeroPoint }: Range) => {
    g.hold(`${name}_scale`, tensor("f32", [], [scale]));
    g.hold(`${name}_zero`, tensor(dtype, [], [zeroPoint - shift]));
    return { scale: `${name}_scale`, zeroPoint: `${name}_zero` };
  };
  const feeds: Record<string, Tensor> = {};
  const reals: Real[] = [];
  const values = inputs.map((shape, i) => {
    const codes = codesFor(shape, X.zeroPoint, i + 1);
    g.input(`x${i}`, shape, dtype);
    g.wanted.add(`x${i}`);
    feeds[`x${i}`] = tensor(
      dtype,
      shape,
      codes.map((q) => q - shift),
    );
    reals.push({ shape, data: Float64Array.from(codes, (q) => Math.fround((q - X.zeroPoint) * X.scale)) });
    return `x${i}`;
  });
  const clamp = activation && {
    op: activation,
    name: "clamp",
    inputs: ["core"],
    outputs: ["y"],
    attributes: {},
  };
  const bounds = clamp && ops[clamp.op]!.clamp!(clamp)!;
  const node: Node = {
    op,
    name: "op",
    inputs: values,
    outputs: ["codes"],
    attributes,
    codes: {
      inputs: values.map((value) => parameters(value, X)),
      output: parameters("y", y),
      ...(bounds && { bounds }),
    },
  };
  g.add(node);

  const forward = (xs: readonly (Real | undefined)[]) => {
    const ys = forwards[op]!(node, xs);
    return clamp ? forwards[clamp.op]!(clamp, ys) : ys;
  };
  const [found] = forward(reals) as [Real];
  const { between } = randomOf(99);
  const dy = tensor(
    "f32",
    found.shape,
    Array.from(found.data, () => between(-1, 1)),
  );
  g.input("dy", found.shape);
  const unit = unitsOf(g.graph(["codes"]), ops, inferTypes(g.graph(["codes"]), ops), new Set()).find(
    (one) => one.node === node,
  )!;
  expect(unit.integer).toBeDefined();
  g.differentiate(unit, ["dy"]);
  const names = inputs.map((_, i) => g.given.get(`x${i}`) ?? expect.fail(`x${i} was given no gradient`));
  const model = new Model(g.graph(names), ops, trainingEngine);
  const gradients = model.runSync({ ...feeds, dy: dy.data });
  model.dispose();
  const passes = Float64Array.from(found.data, (value, i) => {
    const q = Math.round(value / y.scale) + y.zeroPoint;
    return q >= 0 && q <= 255 ? dy.data[i]! : 0;
  });
  for (const [i, name] of names.entries())
    expectClose(gradients[name]!.data, differences(forward, reals, [passes], i), `${op}, input ${i}`);
}

const TABLES = [
  ["Relu", {}],
  ["Clip", { min: -1.005, max: 2.005 }],
  ["LeakyRelu", { alpha: 0.2 }],
  ["Elu", { alpha: 1 }],
  ["Sigmoid", {}],
  ["Tanh", {}],
  ["Silu", {}],
  ["HardSwish", {}],
  ["HardSigmoid", { alpha: 0.21, beta: 0.5 }],
  ["Gelu", {}],
  ["Gelu", { approximate: "tanh" }],
  ["Exp", {}],
  ["Neg", {}],
  ["Abs", {}],
  ["Erf", {}],
] as const;

describe.each(["u8", "i8"] as const)("codes %s", (dtype) => {
  test.each(TABLES)("%s %j by a table of slopes", (op, attributes) => {
    for (const shape of [[1], [17], [3, 5, 4]]) {
      checkCodes({ op, attributes, inputs: [shape], dtype, y: WIDE });
      // Half of the results have no code.
      checkCodes({
        op,
        attributes,
        inputs: [shape],
        dtype,
        y: { scale: Math.fround(0.0021), zeroPoint: 30 },
      });
    }
  });

  test("a Relu behind a table", () =>
    checkCodes({ op: "Tanh", inputs: [[17]], activation: "Relu", dtype, y: WIDE }));

  test("poolings: the largest takes it, means share it", () => {
    const attributes = { kernel_shape: [2, 2], strides: [1, 2], pads: [1, 0, 0, 1] };
    checkCodes({ op: "MaxPool", attributes, inputs: [[2, 3, 5, 6]], dtype });
    checkCodes({ op: "GlobalMaxPool", inputs: [[2, 3, 4, 5]], dtype });
    checkCodes({ op: "AveragePool", attributes, inputs: [[2, 3, 5, 6]], dtype, y: WIDE });
    checkCodes({ op: "GlobalAveragePool", inputs: [[2, 3, 4, 5]], dtype, y: WIDE });
  });

  test("moves", () => {
    const inputs = [[2, 3, 4, 5]];
    checkCodes({ op: "Flatten", inputs, dtype });
    checkCodes({ op: "Reshape", attributes: { shape: [6, 20] }, inputs, dtype });
    checkCodes({ op: "Transpose", attributes: { perm: [0, 2, 3, 1] }, inputs, dtype });
    checkCodes({ op: "Slice", attributes: { starts: [1], ends: [3], axes: [2] }, inputs, dtype });
    checkCodes({ op: "Pad", attributes: { pads: [0, 0, 1, 0, 0, 0, 0, 2] }, inputs, dtype });
    checkCodes({ op: "Resize", attributes: { scales: [1, 1, 2, 2] }, inputs: [[1, 2, 4, 5]], dtype });
  });

  test("Add and Concat", () => {
    const inputs = [
      [2, 3, 4],
      [2, 3, 4],
    ];
    checkCodes({ op: "Add", inputs, dtype, y: WIDE });
    checkCodes({ op: "Concat", attributes: { axis: 1 }, inputs, dtype });
    // In another range, of which some of the numbers are out.
    for (const y of [WIDE, { scale: Math.fround(0.0127), zeroPoint: 40 }])
      checkCodes({ op: "Concat", attributes: { axis: 1 }, inputs, dtype, y });
  });
});
