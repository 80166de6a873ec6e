// What ops say of themselves, held against what they compute.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { Random } from "../../src/graph/random";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { type OpName, registry } from "../../src/ops/index";
import type { ModelOp } from "../../src/ops/op";
import { withModel } from "../engine/engines";
import type { Attributes } from "../graph-builder";

interface Form {
  readonly shape?: readonly number[];
  readonly attributes?: Attributes;
}

/** A node of one input for every op. Undefined: it has more inputs, or no kernel over floats. */
const forms: { readonly [K in OpName]: Form | undefined } = {
  Abs: {},
  Add: undefined,
  ArgMax: { attributes: { axis: 1 } },
  AveragePool: { attributes: { kernel_shape: [2, 2], pads: [0, 0, 1, 1] } },
  BatchNormalization: undefined,
  Cast: undefined,
  Ceil: undefined,
  Clip: { attributes: { min: -0.5, max: 0.7 } },
  Concat: { attributes: { axis: 1 } },
  ConstantOfShape: undefined,
  Conv: undefined,
  DequantizeLinear: undefined,
  Div: undefined,
  Dropout: { attributes: { ratio: 0.5 } },
  DynamicQuantize: undefined,
  Elu: {},
  Equal: undefined,
  Erf: {},
  Exp: {},
  Expand: { attributes: { shape: [2, 2, 3, 4, 6] } },
  Flatten: {},
  Floor: undefined,
  Gather: undefined,
  Gelu: {},
  Gemm: undefined,
  GlobalAveragePool: {},
  GlobalMaxPool: {},
  HardSigmoid: {},
  HardSwish: {},
  Identity: {},
  LayerNormalization: undefined,
  LeakyRelu: {},
  LogSoftmax: {},
  MatMul: undefined,
  Max: undefined,
  MaxPool: { attributes: { kernel_shape: [2, 2], strides: [2, 1] } },
  Min: undefined,
  Mod: undefined,
  Mul: undefined,
  Neg: {},
  Not: undefined,
  Pad: { attributes: { pads: [0, 0, 1, 0, 0, 0, 2, 3] } },
  QuantizeLinear: undefined,
  Range: undefined,
  ReduceMean: { attributes: { axes: [2] } },
  ReduceProd: undefined,
  Relu: {},
  Reshape: { attributes: { shape: [2, 6, 12] } },
  Resize: {
    attributes: {
      scales: [1, 1, 2, 3],
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    },
  },
  Shape: undefined,
  Sigmoid: {},
  Silu: {},
  Size: undefined,
  Slice: { attributes: { starts: [1, 4], ends: [3, 0], axes: [1, 3], steps: [1, -2] } },
  Softmax: {},
  Split: { attributes: { axis: 1 } },
  Sqrt: {},
  Squeeze: { shape: [2, 3, 1, 6], attributes: { axes: [2] } },
  Sub: undefined,
  Tanh: {},
  Transpose: { attributes: { perm: [0, 2, 3, 1] } },
  Unsqueeze: { attributes: { axes: [2] } },
  Where: undefined,
};

const all = Object.entries(registry) as [OpName, ModelOp][];
const opsOf = (...flows: ModelOp["codes"][]) =>
  all.filter(([, { codes }]) => flows.includes(codes)).map(([op]) => op);

const graphOf = (op: OpName, { shape = [2, 3, 4, 6], attributes = {} }: Form): Graph => ({
  name: op,
  inputs: [{ name: "x", dtype: "f32", shape }],
  outputs: ["y"],
  nodes: [{ op, name: "n", inputs: ["x"], outputs: ["y"], attributes }],
  constants: new Map(),
  provenance: {},
});

/** What the op's kernel makes of x. */
const run = (op: OpName, form: Form, x: Tensor): Tensor =>
  withModel(graphOf(op, form), {}, (model) => model.runSync({ x }).y!);

/** Numbers that are all different. */
function randomInput({ shape = [2, 3, 4, 6] }: Form, seed = 1): Tensor {
  const random = new Random(seed);
  return tensor(
    "f32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => 4 * random.uniform() - 2),
  );
}

describe("codes", () => {
  test.for(opsOf("moves", "pads"))("%s: its output has elements of its input", (op) => {
    const form = forms[op]!;
    const x = randomInput(form);
    const known = new Set([...x.data, ...(registry[op].codes === "pads" ? [0] : [])]);
    const { data } = run(op, form, x);
    expect(data.length).toBeGreaterThan(0);
    expect([...data].filter((number) => !known.has(number))).toEqual([]);
  });

  test.for(opsOf("table"))("%s: each element of its output follows from one of its input", (op) => {
    const form = forms[op]!;
    const x = randomInput(form);
    const y = run(op, form, x);
    expect(y.shape).toEqual(x.shape);
    const same = Float32Array.from(x.data, (_, i) => x.data[i % 5]!);
    const repeated = run(op, form, { ...x, data: same });
    expect(repeated.data).toEqual(Float32Array.from(same, (_, i) => y.data[i % 5]!));
  });

  test.for(opsOf("mean"))("%s: its output lies between its smallest and largest input", (op) => {
    const form = forms[op]!;
    const x = randomInput(form);
    const sorted = Float32Array.from(x.data).sort();
    for (const mean of run(op, form, x).data) {
      expect(mean).toBeGreaterThan(sorted[0]!);
      expect(mean).toBeLessThan(sorted.at(-1)!);
    }
  });

  test("ops that work on codes have kernels over them", () => {
    const computing = opsOf("moves", "pads", "table", "mean", "sum", "join", "layer", "makes", "reads");
    expect(
      computing.filter((op) => !(registry[op] as ModelOp).lowerInteger && op !== "DynamicQuantize"),
    ).toEqual([]);
  });
});
