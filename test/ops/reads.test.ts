// What a node says is read by its op or refused: no input and no attribute goes unread in silence. One sample of every op.

import { describe, expect, test } from "vitest";
import { compile } from "../../src/engine/compile";
import { OctetteError } from "../../src/errors";
import { readOnnx } from "../../src/formats/onnx/import";
import type { Attribute, Graph, Node, ValueType } from "../../src/graph/graph";
import type { Shape } from "../../src/graph/symbols";
import { type DType, sizeOf, tensor } from "../../src/graph/tensor";
import { loadSync, save } from "../../src/index";
import type { OpName } from "../../src/ops/index";
import { outputTypes } from "../../src/ops/infer";
import { ANY_NUMBER } from "../../src/ops/op";
import { checkAllReads } from "../../src/ops/reads";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplifyImported } from "../../src/passes/index";
import { type FileModel, onnxFile } from "../formats/onnx/model-file";

type Attributes = Readonly<Record<string, Attribute>>;

interface Sample {
  /** Shapes of inputs, f32 where no dtype is given; in `constants`, of those with known elements. */
  readonly inputs: readonly (Shape | readonly [DType, Shape])[];
  /** Indices of inputs that are constants. */
  readonly constants?: readonly number[];
  /** Every attribute that the op reads, none with its default. */
  readonly attributes?: Attributes;
  readonly outputs?: number;
}

const unary: Sample = { inputs: [[2, 3]] };
const binary: Sample = { inputs: [[2, 3], [3]] };
const image: Sample = { inputs: [[1, 2, 6, 6]] };
const window = { kernel_shape: [2, 2], strides: [2, 2], dilations: [1, 1], pads: [0, 0, 1, 1], ceil_mode: 1 };
const integers = (...shape: number[]) => ["i32", shape] as const;
const reduction: Sample = {
  inputs: [[2, 3]],
  attributes: { axes: [1], keepdims: 0, noop_with_empty_axes: 1 },
};
const known = (sample: Sample): Sample => ({ ...sample, constants: sample.inputs.map((_, i) => i) });
const codes: Sample = {
  inputs: [["u8", [2, 4]], [2], ["u8", [2]]],
  constants: [0, 1, 2],
  attributes: { axis: 0, block_size: 2 },
};

/** Of every op that has no table of cases yet. */
const samples: { readonly [K in OpName]?: Sample } = {
  Abs: unary,
  Add: binary,
  ArgMax: { ...unary, attributes: { axis: 1, keepdims: 0, select_last_index: 1 } },
  AveragePool: { ...image, attributes: { ...window, auto_pad: "NOTSET", count_include_pad: 1 } },
  BatchNormalization: {
    inputs: [[1, 2, 6, 6], [2], [2], [2], [2]],
    constants: [1, 2, 3, 4],
    attributes: { epsilon: 0.1 },
  },
  Cast: { inputs: [integers(3)], attributes: { to: "u8" } },
  Ceil: known(unary),
  Clip: { ...unary, attributes: { min: 0, max: 1 } },
  Concat: {
    inputs: [
      [2, 3],
      [2, 3],
    ],
    attributes: { axis: 1 },
  },
  ConstantOfShape: { inputs: [], attributes: { shape: [2], dtype: "i32", value: 3 } },
  Conv: {
    inputs: [[1, 2, 6, 6], [4, 1, 2, 2], [4]],
    constants: [1, 2],
    attributes: { ...window, auto_pad: "NOTSET", group: 2 },
  },
  DequantizeLinear: codes,
  Div: binary,
  Dropout: { ...unary, attributes: { ratio: 0.5 } },
  DynamicQuantize: { ...unary, attributes: { axis: -1 }, outputs: 3 },
  Elu: { ...unary, attributes: { alpha: 2 } },
  Equal: known(binary),
  Erf: unary,
  Exp: unary,
  Expand: { inputs: [[2, 1]], attributes: { shape: [2, 3] } },
  Flatten: { ...image, attributes: { axis: 2 } },
  Floor: known(unary),
  Gather: { inputs: [[2, 3], integers(2)], attributes: { axis: 1 } },
  Gelu: { ...unary, attributes: { approximate: "tanh" } },
  Gemm: {
    inputs: [[2, 3], [4, 3], [4]],
    constants: [1, 2],
    attributes: { alpha: 1, beta: 1, transA: 0, transB: 1 },
  },
  GlobalAveragePool: image,
  GlobalMaxPool: image,
  HardSigmoid: { ...unary, attributes: { alpha: 0.3, beta: 0.4 } },
  HardSwish: unary,
  Identity: unary,
  LayerNormalization: {
    inputs: [[2, 3], [3], [3]],
    constants: [1, 2],
    attributes: { axis: 1, epsilon: 0.1 },
  },
  LeakyRelu: { ...unary, attributes: { alpha: 0.3 } },
  LogSoftmax: { ...unary, attributes: { axis: 1 } },
  MatMul: { inputs: [[2, 3], [3, 4], [4]], constants: [1, 2] },
  Max: known(binary),
  MaxPool: { ...image, attributes: { ...window, auto_pad: "NOTSET" } },
  Min: known(binary),
  Mod: { ...known(binary), attributes: { fmod: 1 } },
  Mul: binary,
  Neg: unary,
  Not: known({ inputs: [["bool", [2]]] }),
  Pad: { ...unary, attributes: { pads: [1, 1], value: 2, axes: [1], mode: "constant" } },
  QuantizeLinear: {
    inputs: [[2, 4], [2], ["u8", [2]]],
    constants: [0, 1, 2],
    attributes: { axis: 0, block_size: 2, output_dtype: "u8" },
  },
  Range: known({ inputs: [integers(), integers(), integers()] }),
  ReduceMean: reduction,
  ReduceProd: reduction,
  Relu: unary,
  Reshape: { ...unary, attributes: { shape: [3, 2], allowzero: 1 } },
  Resize: {
    ...image,
    attributes: {
      axes: [2, 3],
      roi: [],
      scales: [2, 2],
      sizes: [],
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    },
  },
  Shape: { ...unary, attributes: { start: 1, end: 2 } },
  Sigmoid: unary,
  Silu: unary,
  Size: unary,
  Slice: { ...unary, attributes: { starts: [0], ends: [3], axes: [1], steps: [2] } },
  Split: { inputs: [[2, 4]], attributes: { axis: 1, split: [1, 3], num_outputs: 2 }, outputs: 2 },
  Sqrt: unary,
  Squeeze: { inputs: [[2, 1]], attributes: { axes: [1] } },
  Sub: binary,
  Unsqueeze: { ...unary, attributes: { axes: [0] } },
  Where: known({ inputs: [["bool", [2]], [2], [2]] }),
};

const names = Object.keys(samples) as OpName[];
const readsOf = (op: OpName) => toolkitOps[op]!;

/** A graph of one node; its known inputs hold ones. */
function graphOf(op: OpName, sample: Sample, change: Partial<Node> = {}, more: Graph["inputs"] = []): Graph {
  const types = sample.inputs.map((input) =>
    typeof input[0] === "string" && Array.isArray(input[1])
      ? { dtype: input[0] as DType, shape: input[1] as Shape }
      : { dtype: "f32" as const, shape: input as Shape },
  );
  const isKnown = (i: number) => sample.constants?.includes(i) ?? false;
  const node: Node = {
    op,
    name: "n",
    inputs: types.map((_, i) => `x${i}`),
    outputs: Array.from({ length: sample.outputs ?? 1 }, (_, i) => `y${i}`),
    attributes: sample.attributes ?? {},
    ...change,
  };
  return {
    name: "sample",
    inputs: [...types.map((type, i) => ({ name: `x${i}`, ...type })).filter((_, i) => !isKnown(i)), ...more],
    outputs: node.outputs,
    nodes: [node],
    constants: new Map(
      types.flatMap(({ dtype, shape }, i) => {
        const numbers = new Array<number>(sizeOf(shape as number[])).fill(1);
        return isKnown(i) ? [[`x${i}`, tensor(dtype, shape as number[], numbers)] as const] : [];
      }),
    ),
    provenance: {},
  };
}

/** What `work` did not refuse with a typed error. */
function attempt(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof OctetteError)) throw error;
  }
}

/** Attributes that are read where the sample is simplified, and compiled as it stands. */
function attributesRead(op: OpName, sample: Sample): Set<string> {
  const read = new Set<string>();
  const attributes = new Proxy(sample.attributes ?? {}, {
    get(all, name) {
      read.add(String(name));
      return Reflect.get(all, name) as Attribute;
    },
  });
  const graph = graphOf(op, sample, { attributes });
  attempt(() => simplifyImported(graph, toolkitOps));
  attempt(() => compile(graph, { registry: toolkitOps, engineClass: "baseline" }));
  return read;
}

describe("every attribute that an op declares is read", () => {
  for (const op of names)
    test(op, () => {
      const { attributes = [], parameters = {} } = readsOf(op);
      const declared = [...new Set([...attributes, ...Object.values(parameters)])].sort();
      const given = Object.keys(samples[op]!.attributes ?? {}).sort();
      expect(given).toEqual(declared);
      expect(declared.filter((name) => !attributesRead(op, samples[op]!).has(name))).toEqual([]);
    });
});

describe("an attribute that an op does not declare is refused, by name", () => {
  for (const op of names)
    test(op, () => {
      const attributes = { ...samples[op]!.attributes, colour: 1 };
      const graph = graphOf(op, samples[op]!, { attributes });
      expect(() => simplifyImported(graph, toolkitOps)).toThrow(`${op} "n": attribute colour is unknown`);
      expect(() => checkAllReads(graph, toolkitOps)).toThrow(`${op} "n": attribute colour is unknown`);
    });
});

describe("an input that an op does not declare is refused, by name", () => {
  // Concat, Max and Min take any number.
  const limited = names.filter((op) => readsOf(op).inputs !== ANY_NUMBER);
  for (const op of limited) {
    const { inputs: most = 1 } = readsOf(op);
    test(op, () => {
      const inputs = Array.from({ length: most }, (_, i) => (i < samples[op]!.inputs.length ? `x${i}` : ""));
      const more = { name: "extra", dtype: "f32", shape: [1] } as const;
      const graph = graphOf(op, samples[op]!, { inputs: [...inputs, "extra"] }, [more]);
      expect(() => simplifyImported(graph, toolkitOps)).toThrow(`${op} "n": input ${most} is unknown`);
      expect(() => checkAllReads(graph, toolkitOps)).toThrow('got "extra"');
    });
  }
});

describe("a parameter that a run computes is refused, by name", () => {
  for (const op of names)
    for (const [index, parameter] of Object.entries(readsOf(op).parameters ?? {})) {
      // Ops that read it as an input have tests of their own.
      if (readsOf(op).computable?.includes(Number(index))) continue;
      test(`${op}, ${parameter}`, () => {
        const inputs = Array.from({ length: Number(index) + 1 }, (_, i) =>
          i === Number(index) ? "late" : i < samples[op]!.inputs.length ? `x${i}` : "",
        );
        const late = { name: "late", dtype: "i32", shape: [1] } as const;
        const { [parameter]: _, ...attributes } = samples[op]!.attributes ?? {};
        const graph = graphOf(op, samples[op]!, { inputs, attributes }, [late]);
        const message = `${op} "n": ${parameter} must be known before a run`;
        expect(() => simplifyImported(graph, toolkitOps)).toThrow(message);
        expect(() => checkAllReads(graph, toolkitOps)).toThrow('got input "late", which a run computes');
      });
    }
});

describe("an input that is left out is not needed, or missed with a typed error", () => {
  for (const op of names)
    test(op, () => {
      const one: ValueType = { dtype: "f32", shape: [1] };
      const { inputs: most = 1 } = readsOf(op);
      const graph = graphOf(op, samples[op]!);
      const known = new Map<string, ValueType>([
        ...graph.inputs.map((input) => [input.name, input] as const),
        ...graph.constants,
      ]);
      const count = most === ANY_NUMBER ? samples[op]!.inputs.length : most;
      const all = Array.from({ length: count }, (_, i) => known.get(`x${i}`) ?? one);
      for (let left = 0; left < count; left++) {
        const inputs = all.map((_, i) => (i === left ? "" : `x${i}`));
        const typeOf = (value: string) => (value === "" ? undefined : all[Number(value.slice(1))]);
        attempt(() => outputTypes({ ...graph.nodes[0]!, inputs }, readsOf(op), typeOf));
      }
    });
});

test("a parameter that is an input and an attribute at once is refused", () => {
  const graph = graphOf("Squeeze", { ...samples.Squeeze!, inputs: [[2, 1], integers(1)], constants: [1] });
  expect(() => simplifyImported(graph, toolkitOps)).toThrow("input 1 and attribute axes are both given");
});

test("a graph that is loaded or saved is checked, too", () => {
  const graph = graphOf("Relu", { ...samples.Relu!, attributes: { colour: 1 } });
  expect(() => loadSync(graph)).toThrow("attribute colour is unknown");
  expect(() => save(graph)).toThrow("attribute colour is unknown");
});

test("what nothing reads may hold anything", () => {
  const graph = graphOf("Relu", samples.Relu!);
  const dead: Node = { op: "Clip", name: "dead", inputs: ["x0", "x0"], outputs: ["z"], attributes: {} };
  expect(simplifyImported({ ...graph, nodes: [dead, ...graph.nodes] }, toolkitOps).nodes).toHaveLength(1);
});

describe("values of attributes that no kernel has", () => {
  const cases: readonly (readonly [OpName, Attributes, string])[] = [
    ["MaxPool", { auto_pad: "SAME" }, "auto_pad is unknown"],
    ["Conv", { kernel_shape: [3, 3] }, "kernel_shape is not that of the weights"],
    ["Gelu", { approximate: "sigmoid" }, "approximate is unknown"],
    ["Split", { num_outputs: 3 }, "num_outputs is not the number of its outputs"],
    ["DynamicQuantize", { axis: 0 }, "only rows of the last axis have ranges"],
    ["Resize", { coordinate_transformation_mode: "tf_crop_and_resize", scales: [1, 1] }, "is unknown"],
    ["Resize", { nearest_mode: "best", scales: [1, 1] }, "is unknown"],
  ];
  for (const [op, attributes, message] of cases)
    test(`${op} ${JSON.stringify(attributes)}`, () => {
      const sample = { ...samples[op]!, attributes: { ...samples[op]!.attributes, ...attributes } };
      const attempt = () => compile(graphOf(op, sample), { registry: toolkitOps, engineClass: "baseline" });
      expect(attempt).toThrow(OctetteError);
      expect(attempt).toThrow(message);
    });
});

describe("a node of a file", () => {
  const read = (model: FileModel) => simplifyImported(readOnnx(onnxFile(model)), toolkitOps);
  const one = (op: string, rest: Partial<FileModel["nodes"][number]> = {}): FileModel => ({
    nodes: [{ op, name: "n", inputs: ["x"], outputs: ["y"], ...rest }],
    outputs: ["y"],
  });
  const cases: Readonly<Record<string, [FileModel, string]>> = {
    "an attribute": [one("Relu", { attributes: { slope: 2 } }), 'Relu "n": attribute slope is unknown'],
    "an attribute of an operator written with others": [
      one("Sum", { attributes: { slope: 2 } }),
      'Sum "n" (opset 17): attribute slope is unknown',
    ],
    "an attribute beside a tensor": [
      {
        nodes: [
          { op: "ConstantOfShape", name: "n", inputs: ["x"], outputs: ["y"], attributes: { slope: 2 } },
        ],
      },
      "attribute slope is unknown",
    ],
    "an input of an operator written with others": [
      one("QLinearMatMul", { inputs: ["x", "x", "x", "x", "x", "x", "x", "x", "late"] }),
      "input 8 is unknown",
    ],
    "attributes of a Constant": [
      {
        nodes: [
          {
            op: "Constant",
            name: "n",
            inputs: [],
            outputs: ["y"],
            attributes: { value_int: 1, value_float: 0.5 },
          },
        ],
      },
      "a constant of two values",
    ],
  };
  for (const [name, [model, message]] of Object.entries(cases))
    test(`with ${name} nothing reads is refused`, () => {
      const attempt = () =>
        read({
          ...model,
          inputs: [
            { name: "x", shape: [2], type: 1 },
            { name: "late", shape: [1], type: 1 },
          ],
        });
      expect(attempt).toThrow(OctetteError);
      expect(attempt).toThrow(message);
    });

  test("Resize of opset 10 and Upsample of opset 7 repeat as their text says", () => {
    const inputs = [{ name: "x", shape: [1, 1, 2, 2], type: 1 }];
    const scales = tensor("f32", [4], [1, 1, 2, 2]);
    const resize = read({
      ...one("Resize", { inputs: ["x", "s"] }),
      opset: 10,
      inputs,
      initializers: { s: scales },
    });
    const upsample = read({
      ...one("Upsample", { attributes: { scales: [1, 1, 2, 2] } }),
      opset: 7,
      inputs,
    });
    expect(resize.nodes[0]).toMatchObject({
      op: "Resize",
      attributes: {
        scales: [1, 1, 2, 2],
        coordinate_transformation_mode: "asymmetric",
        nearest_mode: "floor",
      },
    });
    expect(upsample.nodes[0]).toMatchObject({ attributes: { scales: [1, 1, 2, 2] } });
  });
});
