// The layers and models that are timed, written as graphs: single layers in float and in int8 with u8 codes going in and
// out, and models in float, which `quantize` takes on. Numbers come from a hash of their index.

import { tensor } from "../build/index.js";

const hash = (i) => Math.imul(i + 1, 2654435761) >>> 24;
const sizeOf = (shape) => shape.reduce((n, dim) => n * dim, 1);

/** Elements of a tensor, made alike everywhere: floats in ±1, any code. */
export function fill(dtype, shape) {
  const range = { f32: (v) => v / 128 - 1, u8: (v) => v, i8: (v) => v - 128 }[dtype];
  return tensor(
    dtype,
    shape,
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => range(hash(i))),
  );
}

const floats = (shape, bound) => {
  const { data } = fill("f32", shape);
  return tensor(
    "f32",
    shape,
    data.map((v) => v * bound),
  );
};

/** Weights of about 1/√k keep values as large as they were. */
const weights = (shape, k) => floats(shape, 1.7 / Math.sqrt(k));

const convAttributes = (size, group = 1, stride = 1) => ({
  dilations: [1, 1],
  group,
  kernel_shape: [size, size],
  pads: Array(4).fill(size >> 1),
  strides: [stride, stride],
});

/** A layer without bias: input and weights. */
const dense = (m, k, n) => ({ op: "Linear", x: [m, k], w: [n, k], k, attributes: {} });
const conv = (size, inputs, outputs, extent, group = 1, stride = 1) => ({
  op: "Conv",
  x: [1, inputs, extent, extent],
  w: [outputs, inputs / group, size, size],
  k: (inputs / group) * size * size,
  attributes: convAttributes(size, group, stride),
});

export const layers = {
  "GEMM 512×512×512": dense(512, 512, 512),
  "GEMM 196×128×1152": dense(196, 1152, 128),
  "GEMV 2048×2048": dense(1, 2048, 2048),
  "conv 3×3 64→64 @32²": conv(3, 64, 64, 32),
  "conv 1×1 1152→128 @14²": conv(1, 1152, 128, 14),
  "conv 3×3 16→16 @32²": conv(3, 16, 16, 32),
  "conv 3×3 3→16 @32²": conv(3, 3, 16, 32),
  "conv 3×3 3→8 /2 @96²": conv(3, 3, 8, 96, 1, 2),
  "depthwise 3×3 64 @32²": conv(3, 64, 64, 32, 64),
  "depthwise 3×3 16 /2 @48²": conv(3, 16, 16, 48, 16, 2),
  "depthwise 5×5 64 @32²": conv(5, 64, 64, 32, 64),
};

const graphOf = (name, inputs, nodes, outputs, constants) => ({
  name,
  inputs,
  outputs,
  nodes: nodes.map((node) => ({ attributes: {}, ...node })),
  constants: new Map(Object.entries(constants)),
  provenance: {},
});

/** The layer over floats. */
export const floatLayer = (name, { op, x, w, k, attributes }) =>
  graphOf(
    name,
    [{ name: "x", dtype: "f32", shape: x }],
    [{ op, name: "layer", inputs: ["x", "w"], outputs: ["y"], attributes }],
    ["y"],
    { w: weights(w, k) },
  );

/** The layer over codes. */
export function int8Layer(name, { op, x, w, k, attributes }) {
  const channels = w[0];
  const codes = {
    inputs: [
      { scale: "x_scale", zeroPoint: "x_zero_point" },
      { scale: "w_scale", zeroPoint: "", axis: 0 },
    ],
    output: { scale: "y_scale", zeroPoint: "y_zero_point" },
  };
  return graphOf(
    name,
    [{ name: "x", dtype: "u8", shape: x }],
    [{ op, name: "layer", inputs: ["x", "w"], outputs: ["y"], attributes, codes }],
    ["y"],
    {
      x_scale: tensor("f32", [], [1 / 128]),
      x_zero_point: tensor("u8", [], [128]),
      w: fill("i8", w),
      w_scale: tensor("f32", [channels], Array(channels).fill(1.7 / 128 / Math.sqrt(k))),
      y_scale: tensor("f32", [], [1 / 64]),
      y_zero_point: tensor("u8", [], [128]),
    },
  );
}

const VALUES = [1024, 64];
const parameters = { scale: "scale", zeroPoint: "zero" };
const codes = { scale: tensor("f32", [], [1 / 64]), zero: tensor("u8", [], [128]) };

/** Steps that move values and compute next to nothing: their measure is bytes. */
export const moves = {
  quantize: graphOf(
    "quantize",
    [{ name: "x", dtype: "f32", shape: VALUES }],
    [{ op: "QuantizeLinear", name: "quantize", inputs: ["x", "scale", "zero"], outputs: ["y"] }],
    ["y"],
    codes,
  ),
  dequantize: graphOf(
    "dequantize",
    [{ name: "x", dtype: "u8", shape: VALUES }],
    [{ op: "DequantizeLinear", name: "dequantize", inputs: ["x", "scale", "zero"], outputs: ["y"] }],
    ["y"],
    codes,
  ),
  "add float": graphOf(
    "add",
    ["a", "b"].map((name) => ({ name, dtype: "f32", shape: VALUES })),
    [{ op: "Add", name: "add", inputs: ["a", "b"], outputs: ["y"] }],
    ["y"],
    {},
  ),
  "add int8": graphOf(
    "add",
    ["a", "b"].map((name) => ({ name, dtype: "u8", shape: VALUES })),
    [
      {
        op: "Add",
        name: "add",
        inputs: ["a", "b"],
        outputs: ["y"],
        codes: { inputs: [parameters, parameters], output: parameters },
      },
    ],
    ["y"],
    codes,
  ),
};

/** Writes a float model node by node; `at` is the value the next layer reads. */
class ModelBuilder {
  nodes = [];
  constants = {};
  at = "x";

  node(op, inputs, attributes = {}) {
    const name = `${op}_${this.nodes.length}`;
    this.nodes.push({ op, name, inputs, outputs: [name], attributes });
    this.at = name;
    return name;
  }

  layer(op, shape, k, outputs, attributes) {
    const [w, b] = [`w${this.nodes.length}`, `b${this.nodes.length}`];
    this.constants[w] = weights(shape, k);
    this.constants[b] = floats([outputs], 0.1);
    return this.node(op, [this.at, w, b], attributes);
  }

  dense(inputs, outputs) {
    return this.layer("Linear", [outputs, inputs], inputs, outputs, {});
  }

  conv(size, inputs, outputs, stride = 1, group = 1) {
    const each = inputs / group;
    const attributes = convAttributes(size, group, stride);
    return this.layer("Conv", [outputs, each, size, size], each * size * size, outputs, attributes);
  }

  relu() {
    return this.node("Relu", [this.at]);
  }

  graph(name, shape) {
    return graphOf(name, [{ name: "x", dtype: "f32", shape }], this.nodes, [this.at], this.constants);
  }
}

function mlp(batch) {
  const m = new ModelBuilder();
  m.dense(784, 512);
  m.relu();
  m.dense(512, 512);
  m.relu();
  m.dense(512, 10);
  return m.graph("mlp", [batch, 784]);
}

/** ResNet-8 for images of 32². */
function resnet(batch) {
  const m = new ModelBuilder();
  m.conv(3, 3, 16);
  m.relu();
  for (const [inputs, outputs, stride] of [
    [16, 16, 1],
    [16, 32, 2],
    [32, 64, 2],
  ]) {
    const from = m.at;
    m.conv(3, inputs, outputs, stride);
    m.relu();
    const body = m.conv(3, outputs, outputs);
    m.at = from;
    const shortcut = stride === 1 ? from : m.conv(1, inputs, outputs, stride);
    m.node("Add", [body, shortcut]);
    m.relu();
  }
  return classifier(m, 64, "resnet", batch);
}

/** Depthwise separable blocks, as in MobileNet, for images of 32². */
function mobile(batch) {
  const m = new ModelBuilder();
  m.conv(3, 3, 32, 2);
  m.relu();
  for (const [inputs, outputs, stride] of [
    [32, 64, 1],
    [64, 128, 2],
    [128, 128, 1],
    [128, 256, 2],
  ]) {
    m.conv(3, inputs, inputs, stride, inputs);
    m.relu();
    m.conv(1, inputs, outputs);
    m.relu();
  }
  return classifier(m, 256, "mobile", batch);
}

function classifier(m, channels, name, batch) {
  m.node("GlobalAveragePool", [m.at]);
  m.node("Flatten", [m.at], { axis: 1 });
  m.dense(channels, 10);
  return m.graph(name, [batch, 3, 32, 32]);
}

export const models = {
  "MLP 784-512-512-10": mlp(1),
  "MLP, batch 64": mlp(64),
  "ResNet-8 @32²": resnet(1),
  "MobileNet-like @32²": mobile(1),
};

/** The same for any number of samples. */
export const batched = {
  mlp: mlp("batch"),
  resnet8: resnet("batch"),
  mobile: mobile("batch"),
};
