// What ops say of themselves, held against what they compute.

import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { Random } from "../../src/graph/random";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import type { OpName } from "../../src/ops/index";
import type { CodeFlow, Op, Traits } from "../../src/ops/op";
import { toolkitOps } from "../../src/ops/toolkit";
import { ruleOf } from "../../src/train/gradients/index";
import { withModel } from "../engine/engines";
import type { Attributes } from "../graph-builder";

interface Form {
  readonly shape?: readonly number[];
  readonly attributes?: Attributes;
}

/** A node of one input for every op that has no table of cases yet. Undefined: it has more inputs, or no kernel over floats. */
const forms: { readonly [K in OpName]?: Form | undefined } = {
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
  Split: { attributes: { axis: 1 } },
  Sqrt: {},
  Squeeze: { shape: [2, 3, 1, 6], attributes: { axes: [2] } },
  Sub: undefined,
  Unsqueeze: { attributes: { axes: [2] } },
  Where: undefined,
};

/** Nodes that do nothing, for every op that says that it can be one. */
const idleForms: { readonly [K in OpName]?: Form } = {
  Cast: { attributes: { to: "f32" } },
  Concat: { attributes: { axis: 1 } },
  Dropout: {},
  Expand: { attributes: { shape: [3, 1, 6] } },
  Identity: {},
  Pad: { attributes: { pads: [0, 0, 0, 0, 0, 0, 0, 0] } },
  Slice: { attributes: { starts: [0], ends: [9], axes: [3], steps: [1] } },
  Split: { attributes: { axis: 1 } },
};

const all = (Object.entries(toolkitOps) as [OpName, Op & Traits][]).filter(([op]) =>
  Object.hasOwn(forms, op),
);
const opsOf = (...flows: CodeFlow[]) =>
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
    const known = new Set([...x.data, ...(toolkitOps[op]!.codes === "pads" ? [0] : [])]);
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
    expect(computing.filter((op) => !toolkitOps[op]!.lowerInteger && op !== "DynamicQuantize")).toEqual([]);
  });
});

/** x · a[c], with channels on axis 1. */
const scaled = ({ shape, data }: Tensor, factors: readonly number[]): Tensor => {
  const inner = sizeOf(shape.slice(2));
  const of = (i: number) => factors[Math.floor(i / inner) % shape[1]!]!;
  return tensor(
    "f32",
    shape,
    Float32Array.from(data, (x, i) => x * of(i)),
  );
};

const CHANNELS = 3;
const shapeOf = ({ shape = [2, CHANNELS, 4, 6] }: Form) => shape;

describe("homogeneous", () => {
  const asks = all.filter(([op, { reshapes }]) => forms[op] && shapeOf(forms[op]).length === 4 && !reshapes);
  test.for(asks)("%s: factors of channels come through it where it says so", ([op, { homogeneous }]) => {
    const form = forms[op]!;
    const { nodes } = graphOf(op, form);
    const says = homogeneous?.(nodes[0]!, 1, 4) ?? false;
    // Powers of two: exact.
    const factors = [4, 0.25, 2];
    const x = randomInput(form);
    const y = run(op, form, x);
    const isHomogeneous =
      y.shape[0] === x.shape[0] &&
      y.shape[1] === CHANNELS &&
      `${run(op, form, scaled(x, factors)).data}` === `${scaled(y, factors).data}`;
    // What pads and resizes moves elements of channels too; no layer has been seen behind them.
    const isLeftOut = ["Concat", "Pad", "Resize", "Split"].includes(op);
    expect(says || isLeftOut).toBe(isHomogeneous);
  });

  test("an axis that is reduced is not kept", () => {
    const { nodes } = graphOf("ReduceMean", { attributes: { axes: [-2, 3] } });
    const { homogeneous } = toolkitOps.ReduceMean!;
    expect([0, 1, 2, 3].map((axis) => homogeneous!(nodes[0]!, axis, 4))).toEqual([true, true, false, false]);
    for (const op of ["AveragePool", "GlobalMaxPool"] as const)
      expect(toolkitOps[op]!.homogeneous!(nodes[0]!, 3, 4)).toBe(false);
  });
});

describe("idle", () => {
  test("there is a form for every op that can be idle", () => {
    expect(Object.keys(idleForms)).toEqual(all.filter(([, { idle }]) => idle).map(([op]) => op));
  });

  const isIdle = (op: OpName, form: Form) => {
    const { nodes, inputs } = graphOf(op, form);
    const { idle, infer } = toolkitOps[op]!;
    const [y] = infer(nodes[0]!, inputs);
    return idle!(nodes[0]!, inputs[0]!, y!);
  };

  test.for(Object.entries(idleForms) as [OpName, Form][])("%s gives back its input", ([op, form]) => {
    expect(isIdle(op, form)).toBe(true);
    const x = randomInput(form);
    // A Cast to what there is has no kernel: it is removed.
    if (op !== "Cast") expect(run(op, form, x)).toEqual(x);
  });

  const others: readonly [OpName, Form][] = [
    ["Cast", { attributes: { to: "i32" } }],
    ["Dropout", forms.Dropout!],
    ["Expand", forms.Expand!],
    ["Pad", forms.Pad!],
    ["Slice", forms.Slice!],
    ["Slice", { attributes: { starts: [5], ends: [-9], axes: [3], steps: [-1] } }],
  ];
  test.for(others)("%s of %o does not", ([op, form]) => {
    expect(isIdle(op, form)).toBe(false);
  });
});

describe("reshapes", () => {
  test.for(all.filter(([, { reshapes }]) => reshapes))("%s keeps elements in order", ([op]) => {
    const x = randomInput(forms[op]!);
    const y = run(op, forms[op]!, x);
    expect(y.shape).not.toEqual(x.shape);
    expect(y.data).toEqual(x.data);
  });
});

describe("clamp", () => {
  const clamps = all.filter(([, { clamp }]) => clamp);
  test.for(clamps)("%s keeps numbers between its bounds as they are", ([op, { clamp }]) => {
    const form = forms[op]!;
    const { lo, hi } = clamp!(graphOf(op, form).nodes[0]!)!;
    const x = randomInput(form);
    expect(run(op, form, x).data).toEqual(Float32Array.from(x.data, (v) => Math.min(hi, Math.max(lo, v))));
  });

  test("bounds that are computed are none", () => {
    const [node] = graphOf("Clip", {}).nodes;
    expect(toolkitOps.Clip!.clamp!({ ...node!, inputs: ["x", "lo"] })).toBeUndefined();
  });
});

describe("gradient", () => {
  test.for(all)("%s has a rule, unless it says that it has none", ([op, { gradient }]) => {
    expect(ruleOf(op) === undefined).toBe(gradient === "none");
  });
});

describe("softmax", () => {
  test.for(all.filter(([, { softmax }]) => softmax))("%s makes parts of 1", ([op]) => {
    const { shape, data } = run(op, forms[op]!, randomInput(forms[op]!));
    const parts = Array.from(data, op === "LogSoftmax" ? Math.exp : Number);
    const last = shape.at(-1)!;
    for (let i = 0; i < data.length; i += last)
      expect(parts.slice(i, i + last).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  });
});
