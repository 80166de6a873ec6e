// Files made to cost: each kind is many of one part, or a small part that asks for much.

import { PbfWriter } from "pbf";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { type FileModel, type FileNode, onnxFile } from "../formats/onnx/model-file";

/** Makes a file with `n` parts. */
export type Make = (n: number) => Uint8Array;

type Attributes = NonNullable<FileNode["attributes"]>;
interface Link {
  readonly op?: string;
  /** Constants it reads behind the value. */
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly inputs?: (value: string) => readonly string[];
  readonly attributes?: Attributes;
  readonly extra?: readonly string[];
}

const ints = (...values: number[]) => tensor("i32", [values.length], values);
const floats = (shape: readonly number[], value = 1) =>
  tensor("f32", shape, new Float32Array(shape.reduce((n, d) => n * d, 1)).fill(value));

/** A chain whose i-th node is made by the links in turn. */
export function chain(links: readonly (Link & { op: string })[], options: Partial<FileModel> = {}): Make {
  return (n) => {
    const initializers: Record<string, Tensor> = {};
    for (const { constants = {} } of links) Object.assign(initializers, constants);
    const nodes: FileNode[] = [];
    let value = "x";
    for (let i = 0; i < n; i++) {
      const { op, constants = {}, inputs, attributes = {}, extra = [] } = links[i % links.length]!;
      const output = `v${i}`;
      nodes.push({
        op,
        inputs: inputs ? inputs(value) : [value, ...Object.keys(constants)],
        outputs: [output, ...extra.map((e) => `${output}${e}`)],
        attributes,
      });
      value = output;
    }
    return onnxFile({ ...options, nodes, outputs: [value], initializers });
  };
}

const image = { inputs: [{ name: "x", shape: ["batch", 4, 4, 4] }] };
const square = { inputs: [{ name: "x", shape: [4, 4] }] };
const one = (op: string, link: Link = {}, options: Partial<FileModel> = {}): Make =>
  chain([{ op, ...link }], options);

const scale = { s: tensor("f32", [], [0.5]), z: tensor("u8", [], [3]) };
const w1 = { w: floats([4, 4, 1, 1], 0.25) };

/** Chains of every operator that keeps the shape of its input, or gives it back with the next. */
export const chains: Readonly<Record<string, Make>> = {
  Identity: one("Identity"),
  Relu: one("Relu"),
  Neg: one("Neg"),
  Abs: one("Abs"),
  Sigmoid: one("Sigmoid"),
  Gelu: one("Gelu", {}, { opset: 20 }),
  Cast: one("Cast", { attributes: { to: 1 } }),
  "Cast to and fro": chain([
    { op: "Cast", attributes: { to: 6 } },
    { op: "Cast", attributes: { to: 1 } },
  ]),
  Reshape: chain(
    [
      { op: "Reshape", constants: { a: ints(2, 8) } },
      { op: "Reshape", constants: { b: ints(4, 4) } },
    ],
    square,
  ),
  "Reshape to its own shape": one("Reshape", { constants: { a: ints(-1, 4) } }),
  Squeeze: one("Squeeze", {}, { inputs: [{ name: "x", shape: ["batch", 4, 4] }] }),
  Flatten: one("Flatten"),
  "Unsqueeze and Squeeze": chain([
    { op: "Unsqueeze", constants: { a: ints(1) } },
    { op: "Squeeze", constants: { a: ints(1) } },
  ]),
  Transpose: one("Transpose", { attributes: { perm: { ints: [1, 0] } } }, square),
  "Transpose of three": one(
    "Transpose",
    { attributes: { perm: { ints: [1, 2, 0] } } },
    { inputs: [{ name: "x", shape: [4, 4, 4] }] },
  ),
  Clip: one("Clip", { constants: { a: tensor("f32", [], [0]), b: tensor("f32", [], [6]) } }),
  Dropout: one("Dropout"),
  "Pad of nothing": one("Pad", { constants: { a: ints(0, 0, 0, 0) } }),
  Pad: one("Pad", { constants: { a: ints(0, 1, 0, -1) } }),
  "Slice of all": one("Slice", { constants: { a: ints(0), b: ints(4), c: ints(1) } }),
  "Slice and Pad": chain([
    { op: "Slice", constants: { a: ints(1), b: ints(4), c: ints(1) } },
    { op: "Pad", constants: { d: ints(0, 1, 0, 0) } },
  ]),
  "Concat of one": one("Concat", { attributes: { axis: 1 } }),
  "Concat and Slice": chain([
    { op: "Concat", inputs: (v) => [v, v], attributes: { axis: 1 } },
    { op: "Slice", constants: { a: ints(0), b: ints(4), c: ints(1) } },
  ]),
  "Split and Concat": chain([
    { op: "Split", constants: { a: ints(2, 2) }, attributes: { axis: 1 }, extra: ["b"] },
    { op: "Concat", inputs: (v) => [v, `${v}b`], attributes: { axis: 1 } },
  ]),
  Expand: one("Expand", { constants: { a: ints(1, 4) } }),
  Softmax: one("Softmax"),
  "Softmax of old": one("Softmax", {}, { opset: 11, inputs: [{ name: "x", shape: ["batch", 2, 3] }] }),
  "Add of itself": one("Add", { inputs: (v) => [v, v] }),
  "Add of a constant": one("Add", { constants: { c: tensor("f32", [], [1]) } }),
  "Add of the first": one("Add", { inputs: (v) => [v, "x"] }),
  "Mul of itself": one("Mul", { inputs: (v) => [v, v] }),
  "Mul of a constant": one("Mul", { constants: { c: tensor("f32", [], [0.5]) } }),
  "Mul of the first": one("Mul", { inputs: (v) => [v, "x"] }),
  Div: one("Div", { constants: { c: tensor("f32", [], [6]) } }),
  Max: one("Max", { inputs: (v) => [v, "x"] }),
  Where: one("Where", { inputs: (v) => ["c", v, "x"], constants: { c: tensor("bool", [4], [1, 0, 1, 0]) } }),
  Conv: one("Conv", { constants: w1 }, image),
  "Conv and Relu": chain([{ op: "Conv", constants: w1 }, { op: "Relu" }], image),
  "Conv and Add": chain(
    [
      { op: "Conv", constants: w1 },
      { op: "Add", constants: { b: floats([4, 1, 1]) } },
    ],
    image,
  ),
  "Conv and BatchNormalization": chain(
    [
      { op: "Conv", constants: w1 },
      {
        op: "BatchNormalization",
        constants: { g: floats([4]), h: floats([4]), m: floats([4]), v: floats([4]) },
      },
    ],
    image,
  ),
  BatchNormalization: one(
    "BatchNormalization",
    { constants: { g: floats([4]), h: floats([4]), m: floats([4]), v: floats([4]) } },
    image,
  ),
  Gemm: one("Gemm", { constants: { w: floats([4, 4]) }, attributes: { alpha: 0.5 } }),
  MatMul: one("MatMul", { constants: { w: floats([4, 4]) } }),
  "MatMul and Add": chain([
    { op: "MatMul", constants: { w: floats([4, 4]) } },
    { op: "Add", constants: { b: floats([4]) } },
  ]),
  ReduceMean: one("ReduceMean", { attributes: { axes: { ints: [2, 3] }, keepdims: 1 } }, image),
  "ReduceMean and Unsqueeze": chain(
    [
      { op: "ReduceMean", attributes: { axes: { ints: [2, 3] }, keepdims: 0 } },
      { op: "Unsqueeze", constants: { a: ints(2, 3) } },
    ],
    image,
  ),
  Gather: one("Gather", { constants: { a: ints(3, 2, 1, 0) }, attributes: { axis: 1 } }),
  Resize: one("Resize", { inputs: (v) => [v, "", "s"], constants: { s: floats([4]) } }, image),
  MaxPool: one("MaxPool", { attributes: { kernel_shape: { ints: [1, 1] } } }, image),
  AveragePool: one(
    "AveragePool",
    { attributes: { kernel_shape: { ints: [3, 3] }, pads: { ints: [1, 1, 1, 1] } } },
    image,
  ),
  GlobalAveragePool: one("GlobalAveragePool", {}, image),
  LayerNormalization: one("LayerNormalization", { constants: { g: floats([4]) } }),
  "QuantizeLinear and DequantizeLinear": chain([
    { op: "QuantizeLinear", constants: scale },
    { op: "DequantizeLinear", constants: scale },
  ]),
  "Relu between codes": chain([
    { op: "QuantizeLinear", constants: scale },
    { op: "DequantizeLinear", constants: scale },
    { op: "Relu" },
  ]),
  "Conv between codes": chain(
    [
      { op: "QuantizeLinear", constants: scale },
      { op: "DequantizeLinear", constants: scale },
      { op: "Conv", constants: w1 },
    ],
    image,
  ),
  QLinearMatMul: one(
    "QLinearMatMul",
    { constants: {}, inputs: (v) => [v, "s", "z", "w", "s", "z", "s", "z"] },
    {
      inputs: [{ name: "x", shape: ["batch", 4], type: 2 }],
    },
  ),
  MatMulInteger: chain(
    [
      {
        op: "MatMulInteger",
        inputs: (v) => [v, "w"],
        constants: { w: tensor("u8", [4, 4], new Array(16).fill(1)) },
      },
      { op: "Cast", attributes: { to: 2 } },
    ],
    { inputs: [{ name: "x", shape: ["batch", 4], type: 2 }] },
  ),
  DynamicQuantizeLinear: chain([
    { op: "DynamicQuantizeLinear", extra: ["s", "z"] },
    { op: "DequantizeLinear", inputs: (v) => [v, `${v}s`, `${v}z`] },
  ]),
  "Shape and Reshape": (n) => {
    const nodes: FileNode[] = [];
    let value = "x";
    for (let i = 0; 2 * i < n; i++) {
      nodes.push({ op: "Shape", inputs: [value], outputs: [`s${i}`] });
      nodes.push({ op: "Reshape", inputs: [value, `s${i}`], outputs: [`v${i}`] });
      value = `v${i}`;
    }
    return onnxFile({ nodes, outputs: [value] });
  },
};

/** Arithmetic on shapes: n nodes from a Shape to a Reshape. */
function arithmetic(links: readonly ((value: string, i: number) => Omit<FileNode, "outputs">)[]): Make {
  return (n) => {
    const nodes: FileNode[] = [
      { op: "Shape", inputs: ["x"], outputs: ["s"] },
      { op: "Gather", inputs: ["s", "first"], outputs: ["d"] },
    ];
    let value = "d";
    for (let i = 0; i < n; i++) {
      nodes.push({ ...links[i % links.length]!(value, i), outputs: [`m${i}`] });
      value = `m${i}`;
    }
    nodes.push({ op: "Reshape", inputs: ["x", value], outputs: ["y"] });
    return onnxFile({ nodes, initializers: { first: ints(0), two: ints(2), zero: ints(0), end: ints(1) } });
  };
}

export const shapes: Readonly<Record<string, Make>> = {
  "squares of a symbol": arithmetic([(v) => ({ op: "Mul", inputs: [v, v] })]),
  "sums of a symbol": arithmetic([(v) => ({ op: "Add", inputs: [v, v] })]),
  "products of symbols": arithmetic([(v) => ({ op: "Mul", inputs: [v, "d"] })]),
  "powers of a sum": arithmetic([
    (v) => ({ op: "Add", inputs: [v, "two"] }),
    (v) => ({ op: "Mul", inputs: [v, v] }),
  ]),
  "Concat of dimensions": arithmetic([(v) => ({ op: "Concat", inputs: [v, "d"], attributes: { axis: 0 } })]),
  "Concat doubling": arithmetic([(v) => ({ op: "Concat", inputs: [v, v], attributes: { axis: 0 } })]),
  "Slice and Concat of dimensions": arithmetic([
    (v) => ({ op: "Concat", inputs: [v, "d"], attributes: { axis: 0 } }),
    (v) => ({ op: "Slice", inputs: [v, "zero", "end"] }),
  ]),
  "Shape of Shape": (n) => {
    const nodes: FileNode[] = Array.from({ length: n }, (_, i) => ({
      op: "Shape",
      inputs: [i === 0 ? "x" : `s${i - 1}`],
      outputs: [`s${i}`],
    }));
    nodes.push({ op: "Expand", inputs: ["x", `s${n - 1}`], outputs: ["y"] });
    return onnxFile({ nodes });
  },
};

const relu: FileNode = { op: "Relu", inputs: ["x"], outputs: ["y"] };
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));
const folded = (
  nodes: (i: number) => FileNode[],
  initializers: Readonly<Record<string, Tensor>> = {},
): Make => {
  return (n) => onnxFile({ nodes: [...times(n, nodes).flat(), relu], initializers });
};

/** Constants that a small file asks to be computed. */
export const foldings: Readonly<Record<string, Make>> = {
  Range: folded((i) => [{ op: "Range", inputs: ["zero", "many", "one"], outputs: [`r${i}`] }], {
    zero: ints(0),
    one: ints(1),
    many: tensor("i32", [], [2 ** 24]),
  }),
  "Range that is read": (n) =>
    onnxFile({
      nodes: [
        ...times(n, (i) => ({ op: "Range", inputs: ["zero", "many", "one"], outputs: [`r${i}`] })),
        { op: "Relu", inputs: ["x"], outputs: ["y"] },
      ],
      outputs: ["y", ...times(n, (i) => `r${i}`)],
      initializers: { zero: ints(0), one: ints(1), many: tensor("i32", [], [2 ** 24]) },
    }),
  ConstantOfShape: folded((i) => [{ op: "ConstantOfShape", inputs: ["many"], outputs: [`r${i}`] }], {
    many: ints(4000, 4000),
  }),
  Expand: folded((i) => [{ op: "Expand", inputs: ["one", "many"], outputs: [`r${i}`] }], {
    one: tensor("u8", [1], [1]),
    many: ints(7000, 7000),
  }),
  "Expand of a symbol": folded(
    (i) => [
      { op: "Shape", inputs: ["x"], outputs: [`s${i}`] },
      { op: "Gather", inputs: [`s${i}`, "zero"], outputs: [`d${i}`] },
      { op: "Expand", inputs: [`d${i}`, "many"], outputs: [`r${i}`] },
      { op: "Neg", inputs: [`r${i}`], outputs: [`q${i}`] },
    ],
    { zero: ints(0), many: ints(4000, 4000) },
  ),
  "Pad of a constant": folded((i) => [{ op: "Pad", inputs: ["one", "many"], outputs: [`r${i}`] }], {
    one: tensor("f32", [1, 1], [1]),
    many: ints(2000, 2000, 2000, 2000),
  }),
  "ReduceProd of many": folded(
    (i) => [
      ...(i === 0 ? [{ op: "ConstantOfShape", inputs: ["many"], outputs: ["c"] }] : []),
      { op: "ReduceProd", inputs: ["c"], outputs: [`r${i}`] },
    ],
    { many: ints(4000, 4000) },
  ),
  "Gather of one of many": folded(
    (i) => [
      ...(i === 0 ? [{ op: "ConstantOfShape", inputs: ["many"], outputs: ["c"] }] : []),
      { op: "Gather", inputs: ["c", "zero"], outputs: [`r${i}`] },
    ],
    { many: ints(16000000), zero: ints(0) },
  ),
  "LayerNormalization of a long row by one number": () =>
    onnxFile({
      nodes: [{ op: "LayerNormalization", inputs: ["x", "one"], outputs: ["y"] }],
      inputs: [{ name: "x", shape: [1, 2 ** 26] }],
      outputs: ["y"],
      initializers: { one: tensor("f32", [1], [1]) },
    }),
  "parameters of many": (n) =>
    onnxFile({
      nodes: [
        {
          op: "ConstantOfShape",
          inputs: ["many"],
          outputs: ["c"],
          attributes: { value: tensor("u8", [1], [0]) },
        },
        ...times(n, (i) => ({
          op: "Squeeze",
          inputs: [i === 0 ? "x" : `v${i - 1}`, "c"],
          outputs: [`v${i}`],
        })),
      ],
      outputs: [`v${n - 1}`],
      inputs: [{ name: "x", shape: [1, 4] }],
      initializers: { many: ints(50_000_000) },
    }),
  "Concat doubling": (n) => {
    const k = Math.min(n, 40);
    return onnxFile({
      nodes: [
        ...times(k, (i) => ({
          op: "Concat",
          inputs: i === 0 ? ["c", "c"] : [`c${i - 1}`, `c${i - 1}`],
          outputs: [`c${i}`],
          attributes: { axis: 0 },
        })),
        { op: "Cast", inputs: [`c${k - 1}`], outputs: ["f"], attributes: { to: 1 } },
        { op: "Add", inputs: ["x", "f"], outputs: ["y"] },
      ],
      inputs: [{ name: "x", shape: [4] }],
      initializers: { c: ints(1, 2) },
    });
  },
};

/** A model of bytes made by hand: the fields of GraphProto, beside an opset. */
function raw(
  write: (graph: PbfWriter, n: number) => void,
  beside?: (model: PbfWriter, n: number) => void,
): Make {
  return (n) => {
    const graph = new PbfWriter();
    write(graph, n);
    const model = new PbfWriter();
    model.writeBytesField(8, new Uint8Array([0x0a, 0, 0x10, 17]));
    beside?.(model, n);
    model.writeBytesField(7, graph.finish());
    return model.finish().slice();
  };
}
const EMPTY = new Uint8Array(0);
const field = (tag: number, bytes: Uint8Array) => {
  const pbf = new PbfWriter();
  pbf.writeBytesField(tag, bytes);
  return pbf.finish().slice();
};
const many = (tag: number, n: number, bytes = EMPTY) => {
  const pbf = new PbfWriter();
  for (let i = 0; i < n; i++) pbf.writeBytesField(tag, bytes);
  return pbf.finish().slice();
};
const text = (value: string) => new TextEncoder().encode(value);
const bytesOf = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));
const reluBytes = bytesOf(field(1, text("x")), field(2, text("y")), field(4, text("Relu")));
const infoBytes = (name: string, dims: Uint8Array) =>
  bytesOf(field(1, text(name)), field(2, field(1, bytesOf(new Uint8Array([8, 1]), field(2, dims)))));
const small = (graph: PbfWriter) => {
  graph.writeBytesField(1, reluBytes);
  graph.writeBytesField(11, infoBytes("x", field(1, new Uint8Array([8, 4]))));
  graph.writeBytesField(12, infoBytes("y", EMPTY));
};
/** The small model, and more in its graph. */
const beside = (write: (graph: PbfWriter, n: number) => void): Make =>
  raw((graph, n) => {
    small(graph);
    write(graph, n);
  });

export const parts: Readonly<Record<string, Make>> = {
  "nodes of one missing operator": (n) =>
    onnxFile({ nodes: times(n, (i) => ({ op: "Foo", inputs: ["x"], outputs: [`y${i}`] })), outputs: ["y0"] }),
  "nodes of n missing operators": (n) =>
    onnxFile({
      nodes: times(n, (i) => ({ op: `Foo${i}`, inputs: ["x"], outputs: [`y${i}`] })),
      outputs: ["y0"],
    }),
  "missing operators and opsets": raw(
    (graph, n) => {
      for (let i = 0; i < n; i++) graph.writeBytesField(1, field(4, text("Foo")));
    },
    (model, n) => {
      for (let i = 0; i < n; i++) model.writeBytesField(8, field(1, text("d")));
    },
  ),
  "missing operators and functions": (n) =>
    onnxFile({
      nodes: times(n, () => ({ op: "F", inputs: ["x"], outputs: ["y"], domain: "d" })),
      functions: times(n, (i) => ({ name: `g${i}`, nodes: [] })),
    }),
  "calls of a function": (n) =>
    onnxFile({
      nodes: times(n, (i) => ({ op: "f", inputs: ["x"], outputs: [`y${i}`], domain: "local" })),
      outputs: ["y0"],
      functions: [
        { name: "f", inputs: ["a"], outputs: ["b"], nodes: [{ op: "Foo", inputs: ["a"], outputs: ["b"] }] },
      ],
    }),
  "values and graphs of a function": (n) =>
    onnxFile({
      nodes: [{ op: "f", inputs: ["x"], outputs: ["y"], domain: "local" }],
      functions: [
        {
          name: "f",
          inputs: ["a"],
          outputs: ["b0"],
          nodes: times(n, (i) => ({
            op: "Foo",
            inputs: ["a"],
            outputs: [`b${i}`],
            attributes: { body: { graph: { nodes: [], outputs: ["a"] } } },
          })),
        },
      ],
    }),
  "missing operator with a long name": (n) =>
    onnxFile({ nodes: [{ op: "F".repeat(n), inputs: ["x"], outputs: ["y"] }] }),
  "nodes with long names and a missing operator": (n) =>
    onnxFile({
      nodes: times(Math.ceil(n / 1000), (i) => ({
        op: "F",
        name: `${i}`.repeat(300),
        inputs: ["x"],
        outputs: ["y"],
      })),
    }),
  "empty nodes": raw((graph, n) => void times(n, () => graph.writeBytesField(1, EMPTY))),
  "empty initializers": beside((graph, n) => void times(n, () => graph.writeBytesField(5, EMPTY))),
  "empty inputs": beside((graph, n) => void times(n, () => graph.writeBytesField(11, EMPTY))),
  "empty outputs": beside((graph, n) => void times(n, () => graph.writeBytesField(12, EMPTY))),
  "empty value infos": beside((graph, n) => void times(n, () => graph.writeBytesField(13, EMPTY))),
  "empty metadata": raw(small, (model, n) => void times(n, () => model.writeBytesField(14, EMPTY))),
  metadata: raw(small, (model, n) =>
    times(n, (i) => model.writeBytesField(14, bytesOf(field(1, text(`k${i}`)), field(2, text("v"))))),
  ),
  "unknown dimensions": raw((graph, n) => {
    graph.writeBytesField(1, reluBytes);
    graph.writeBytesField(11, infoBytes("x", many(1, n)));
    graph.writeBytesField(12, infoBytes("y", EMPTY));
  }),
  "dimensions of one name": raw((graph, n) => {
    graph.writeBytesField(1, reluBytes);
    graph.writeBytesField(11, infoBytes("x", many(1, n, field(2, text("N")))));
    graph.writeBytesField(12, infoBytes("y", EMPTY));
  }),
  "dimensions of value infos": beside((graph, n) => graph.writeBytesField(13, infoBytes("v", many(1, n)))),
  "dimensions of a tensor": beside((graph, n) => {
    const dims = new PbfWriter();
    dims.writePackedVarint(1, new Array(n).fill(1));
    graph.writeBytesField(5, dims.finish());
  }),
  "numbers of an attribute": raw((graph, n) => {
    const attribute = new PbfWriter();
    attribute.writeStringField(1, "axes");
    attribute.writePackedVarint(8, new Array(n).fill(1));
    attribute.writeVarintField(20, 7);
    graph.writeBytesField(
      1,
      bytesOf(
        field(1, text("x")),
        field(2, text("y")),
        field(4, text("Squeeze")),
        field(5, attribute.finish()),
      ),
    );
    graph.writeBytesField(11, infoBytes("x", field(1, new Uint8Array([8, 4]))));
    graph.writeBytesField(12, infoBytes("y", EMPTY));
  }),
  "attributes of a node": raw((graph, n) => {
    const attributes = times(n, (i) => field(5, bytesOf(field(1, text(`a${i}`)), new Uint8Array([0x18, 1]))));
    graph.writeBytesField(1, bytesOf(reluBytes, ...attributes));
    graph.writeBytesField(11, infoBytes("x", EMPTY));
    graph.writeBytesField(12, infoBytes("y", EMPTY));
  }),
  "Slice axes": (n) =>
    onnxFile({
      opset: 9,
      nodes: [
        {
          op: "Slice",
          inputs: ["x"],
          outputs: ["y"],
          attributes: {
            starts: { ints: new Array(n).fill(0) },
            ends: { ints: new Array(n).fill(1) },
            axes: { ints: new Array(n).fill(1) },
          },
        },
      ],
    }),
  "Transpose perm": (n) =>
    onnxFile({
      nodes: [
        {
          op: "Transpose",
          inputs: ["x"],
          outputs: ["y"],
          attributes: { perm: { ints: times(n, (i) => i % 100) } },
        },
      ],
    }),
  inputs: (n) =>
    onnxFile({
      nodes: [{ op: "Relu", inputs: ["x0"], outputs: ["y"] }],
      inputs: times(n, (i) => ({ name: `x${i}`, shape: ["batch", 4] })),
    }),
  "inputs that are added": (n) =>
    onnxFile({
      nodes: [{ op: "Sum", inputs: times(n, (i) => `x${i}`), outputs: ["y"] }],
      inputs: times(n, (i) => ({ name: `x${i}`, shape: ["batch", 4] })),
    }),
  "inputs with symbols": (n) =>
    onnxFile({
      nodes: [{ op: "Relu", inputs: ["x0"], outputs: ["y"] }],
      inputs: times(n, (i) => ({ name: `x${i}`, shape: [`s${i}`, 4] })),
    }),
  "inputs with symbols that collide": (n) =>
    onnxFile({
      nodes: [{ op: "Relu", inputs: ["x0"], outputs: ["y"] }],
      inputs: times(n, (i) => ({ name: `x${i}`, shape: [String.fromCharCode(0x4e00 + (i % 20000)), 4] })),
    }),
  "products of many symbols": (n) => {
    const k = Math.min(n, 2000);
    return onnxFile({
      nodes: [
        ...times(k, (i) => ({ op: "Shape", inputs: [`x${i}`], outputs: [`s${i}`] })),
        ...times(k - 1, (i) => ({
          op: "Mul",
          inputs: [i === 0 ? "s0" : `m${i - 1}`, `s${i + 1}`],
          outputs: [`m${i}`],
        })),
        { op: "Expand", inputs: ["x0", `m${k - 2}`], outputs: ["y"] },
      ],
      inputs: times(k, (i) => ({ name: `x${i}`, shape: [`s${i}`] })),
    });
  },
  outputs: (n) =>
    onnxFile({
      nodes: times(n, (i) => ({ op: "Relu", inputs: ["x"], outputs: [`y${i}`] })),
      outputs: times(n, (i) => `y${i}`),
    }),
  "outputs of one value": (n) => onnxFile({ nodes: [relu], outputs: times(n, () => "y") }),
  "outputs that are inputs": (n) => onnxFile({ nodes: [relu], outputs: times(n, () => "x") }),
  "readers of one value": (n) =>
    onnxFile({
      nodes: [
        ...times(n, (i) => ({ op: "Relu", inputs: ["x"], outputs: [`r${i}`] })),
        { op: "Sum", inputs: times(n, (i) => `r${i}`), outputs: ["y"] },
      ],
    }),
  "readers that nobody reads": (n) =>
    onnxFile({ nodes: [...times(n, (i) => ({ op: "Relu", inputs: ["x"], outputs: [`r${i}`] })), relu] }),
  "nodes of one name": (n) =>
    onnxFile({
      nodes: [...times(n, (i) => ({ op: "Neg", name: "a", inputs: ["x"], outputs: [`r${i}`] })), relu],
    }),
  "names that are taken": (n) =>
    onnxFile({
      nodes: [
        ...times(n >> 1, (i) => ({ op: "Neg", name: `a_${i}`, inputs: ["x"], outputs: [`r${i}`] })),
        ...times(n >> 1, (i) => ({ op: "Neg", name: "a", inputs: ["x"], outputs: [`q${i}`] })),
        relu,
      ],
    }),
  "nodes without names": (n) =>
    onnxFile({
      nodes: [...times(n, (i) => ({ op: "Neg", inputs: ["x"], outputs: [`Neg_${i + 1}`] })), relu],
    }),
  "one long name": (n) => {
    const long = "a".repeat(n >> 1);
    return onnxFile({
      nodes: [
        { op: "Relu", inputs: ["x"], outputs: [long] },
        ...times(n >> 6, (i) => ({ op: "Neg", inputs: [i === 0 ? "x" : `v${i - 1}`], outputs: [`v${i}`] })),
        { op: "Softmax", inputs: ["x"], outputs: ["y"] },
      ],
      opset: 11,
    });
  },
  "a long symbol": (n) => {
    const long = "a".repeat(n >> 1);
    return onnxFile({
      nodes: times(n >> 6, (i) => ({ op: "Neg", inputs: [i === 0 ? "x" : `v${i - 1}`], outputs: [`v${i}`] })),
      inputs: [{ name: "x", shape: [long, 2, 2] }],
      outputs: [`v${(n >> 6) - 1}`],
    });
  },
  "reshapes of a long symbol": (n) => {
    const long = "a".repeat(n >> 1);
    const k = n >> 6;
    return onnxFile({
      nodes: times(k, (i) => ({
        op: i % 2 ? "Flatten" : "Unsqueeze",
        inputs: [i === 0 ? "x" : `v${i - 1}`],
        outputs: [`v${i}`],
        ...(i % 2 ? {} : { attributes: { axes: { ints: [1] } } }),
      })),
      opset: 11,
      inputs: [{ name: "x", shape: [long, long, 2] }],
      outputs: [`v${k - 1}`],
    });
  },
  "Range with a long name": (n) => {
    const long = "a".repeat(n >> 1);
    const k = n >> 6;
    return onnxFile({
      nodes: [
        { op: "Cast", inputs: ["x"], outputs: ["l"], attributes: { to: 7 } },
        { op: "Range", inputs: ["zero", "l", "zero"], outputs: [long] },
        ...times(k, (i) => ({
          op: "Add",
          inputs: [i === 0 ? long : `v${i - 1}`, "zero"],
          outputs: [`v${i}`],
        })),
      ],
      inputs: [{ name: "x", shape: [] }],
      outputs: [`v${k - 1}`],
      initializers: { zero: ints(0) },
    });
  },
  "Concat inputs": (n) =>
    onnxFile({
      nodes: [{ op: "Concat", inputs: times(n, () => "x"), outputs: ["y"], attributes: { axis: 1 } }],
    }),
  "Concat of constants": (n) =>
    onnxFile({
      nodes: [
        { op: "Concat", inputs: times(n, () => "c"), outputs: ["k"], attributes: { axis: 0 } },
        { op: "Add", inputs: ["x", "k"], outputs: ["y"] },
      ],
      inputs: [{ name: "x", shape: [1] }],
      initializers: { c: floats([1]) },
    }),
  "Sum inputs": (n) => onnxFile({ nodes: [{ op: "Sum", inputs: times(n, () => "x"), outputs: ["y"] }] }),
  "Max inputs": (n) => onnxFile({ nodes: [{ op: "Max", inputs: times(n, () => "x"), outputs: ["y"] }] }),
  "Split outputs": (n) =>
    onnxFile({
      nodes: [
        { op: "Split", inputs: ["x"], outputs: times(n, (i) => `s${i}`), attributes: { axis: 1 } },
        { op: "Relu", inputs: ["s0"], outputs: ["y"] },
      ],
      inputs: [{ name: "x", shape: ["batch", n] }],
    }),
  "inputs of a Relu": (n) =>
    onnxFile({ nodes: [{ op: "Relu", inputs: times(n, () => "x"), outputs: ["y"] }] }),
  "outputs of a Relu": (n) =>
    onnxFile({ nodes: [{ op: "Relu", inputs: ["x"], outputs: ["y", ...times(n, (i) => `z${i}`)] }] }),
  "constants that nobody reads": (n) =>
    onnxFile({ nodes: [relu], initializers: Object.fromEntries(times(n, (i) => [`c${i}`, floats([1])])) }),
  "constants that are added": (n) => {
    const names = times(n, (i) => `c${i}`);
    return onnxFile({
      nodes: names.map((c, i) => ({
        op: "Add",
        inputs: [i === 0 ? "x" : `v${i - 1}`, c],
        outputs: [`v${i}`],
      })),
      outputs: [`v${n - 1}`],
      initializers: Object.fromEntries(names.map((c) => [c, floats([4])])),
    });
  },
  "Constant nodes": (n) =>
    onnxFile({
      nodes: [
        ...times(n, (i) => ({
          op: "Constant",
          inputs: [],
          outputs: [`c${i}`],
          attributes: { value: floats([1]) },
        })),
        relu,
      ],
    }),
  "nodes in the wrong order": (n) =>
    onnxFile({
      nodes: times(n, (i) => ({
        op: "Relu",
        inputs: [i === n - 1 ? "x" : `v${i + 1}`],
        outputs: [i === 0 ? "y" : `v${i}`],
      })),
    }),
  "residual additions": (n) => {
    const nodes: FileNode[] = [];
    let value = "x";
    for (let i = 0; 2 * i < n; i++) {
      nodes.push({ op: "Conv", inputs: [value, "w"], outputs: [`c${i}`] });
      nodes.push({ op: "Add", inputs: [`c${i}`, i < 2 ? "x" : `a${i >> 1}`], outputs: [`a${i}`] });
      value = `a${i}`;
    }
    return onnxFile({ ...image, nodes, outputs: [value], initializers: w1 });
  },
  "values that live to the end": (n) =>
    onnxFile({
      nodes: [
        ...times(n, (i) => ({ op: "Neg", inputs: [i === 0 ? "x" : `v${i - 1}`], outputs: [`v${i}`] })),
        { op: "Concat", inputs: times(n, (i) => `v${i}`), outputs: ["y"], attributes: { axis: 1 } },
      ],
    }),
  "gates of one value": (n) =>
    onnxFile({
      nodes: times(n >> 1, (i) => [
        { op: "Sigmoid", inputs: [i === 0 ? "x" : `v${i - 1}`], outputs: [`g${i}`] },
        { op: "Mul", inputs: [i === 0 ? "x" : `v${i - 1}`, `g${i}`], outputs: [`v${i}`] },
      ]).flat(),
      outputs: [`v${(n >> 1) - 1}`],
    }),
  "a tree of Muls": (n) =>
    onnxFile({
      nodes: times(n, (i) => ({
        op: "Mul",
        inputs: [i === 0 ? "x" : `v${(i - 1) >> 1}`, i === 0 ? "x" : `v${(i - 1) >> 1}`],
        outputs: [`v${i}`],
      })),
      outputs: [`v${n - 1}`],
    }),
};

/** All of them. */
export const kinds: Readonly<Record<string, Make>> = { ...chains, ...shapes, ...foldings, ...parts };

/** A file of about `size` bytes, made of as many parts as that takes. */
export function fileOf(make: Make, size: number): Uint8Array {
  const [few, more] = [make(16).length, make(64).length];
  const each = (more - few) / 48;
  return make(each > 0 ? Math.max(2, Math.min(size, 16 + Math.floor((size - few) / each))) : size);
}
