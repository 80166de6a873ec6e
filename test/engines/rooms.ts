// Small models of the operators that the other models do not have, as ONNX files: recurrent layers, transforms of signals, functions of
// polynomials, control flow, and a decoder as exporters write it.

import { sizeOf, tensor } from "../../src/graph/tensor";
import { decoder } from "../engine/decoder-graph";
import { type FileNode, onnxFile } from "../formats/onnx/model-file";
import { randomOf } from "../graph-builder";

const { between } = randomOf(9);
const floats = (...shape: number[]) =>
  tensor(
    "f32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => between(-0.5, 0.5)),
  );
const ints = (...values: number[]) => ({
  dataType: 7,
  shape: [values.length],
  bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});
const int = (value: number) => ({ ...ints(value), shape: [] });
const node = (
  op: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: FileNode["attributes"] = {},
): FileNode => {
  const names = [outputs].flat();
  return { op, name: `${op}_${names[0]}`, inputs, outputs: names, attributes };
};

const [INPUTS, HIDDEN] = [12, 20];

/** Both directions of an LSTM, then a GRU, then scores of the last step. */
function recurrent(): Uint8Array {
  const weights = (gates: number, directions: number, inputs: number) => [
    floats(directions, gates * HIDDEN, inputs),
    floats(directions, gates * HIDDEN, HIDDEN),
    floats(directions, 2 * gates * HIDDEN),
  ];
  const sized = { hidden_size: HIDDEN, layout: 1 };
  const [w, r, b] = weights(4, 2, INPUTS);
  const [w2, r2, b2] = weights(3, 1, 2 * HIDDEN);
  return onnxFile({
    nodes: [
      node("LSTM", ["x", "w", "r", "b"], "both", { ...sized, direction: "bidirectional" }),
      node("Reshape", ["both", "joined"], "wide"),
      node("GRU", ["wide", "w2", "r2", "b2"], ["", "last"], { ...sized, linear_before_reset: 1 }),
      node("Squeeze", ["last", "first"], "state"),
      node("Gemm", ["state", "w3", "b3"], "y", { transB: 1 }),
    ],
    inputs: [{ name: "x", shape: ["batch", 7, INPUTS] }],
    outputs: [{ name: "y", shape: ["batch", 4] }],
    initializers: {
      ...{ w: w!, r: r!, b: b!, w2: w2!, r2: r2!, b2: b2! },
      ...{ joined: ints(0, 0, 2 * HIDDEN), first: ints(1), w3: floats(4, HIDDEN), b3: floats(4) },
    },
  });
}

/** The spectrum of frames as decibels of mel bands, and a transform of a length with a large prime factor. */
function signal(): Uint8Array {
  return onnxFile({
    opset: 20,
    nodes: [
      node("STFT", ["x", "hop", "window"], "frames", { onesided: 1 }),
      node("ReduceSumSquare", ["frames", "parts"], "power", { keepdims: 0 }),
      node("MelWeightMatrix", ["bands", "length", "rate", "low", "high"], "mel"),
      node("MatMul", ["power", "mel"], "banded"),
      node("Add", ["banded", "least"], "some"),
      node("Log", ["some"], "y"),
      node("DFT", ["x", "", "one"], "z"),
    ],
    inputs: [{ name: "x", shape: ["batch", 134, 1] }],
    outputs: ["y", "z"].map((name) => ({ name })),
    initializers: {
      ...{ length: int(24), hop: int(11), parts: ints(-1), bands: int(6), rate: int(16000), one: int(1) },
      ...{ low: tensor("f32", [], [20]), high: tensor("f32", [], [7000]), least: tensor("f32", [], [1e-6]) },
      window: floats(24),
    },
  });
}

const UNARY =
  "Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Elu Erf Exp Floor Gelu HardSwish Log Mish Reciprocal Round Selu Sigmoid Sin Sinh Softplus Softsign Sqrt Tan Tanh".split(
    " ",
  );

/** Every function of one value, of values in its domain and beyond, and what resizes, samples, scatters and sums. */
function functions(): Uint8Array {
  return onnxFile({
    opset: 20,
    nodes: [
      node("Mul", ["x", "wide"], "spread"),
      ...UNARY.map((op) => node(op, ["spread"], op)),
      node("Concat", UNARY, "all", { axis: 1 }),
      node("IsNaN", ["all"], "none"),
      node("Where", ["none", "zero", "all"], "y"),
      node("Resize", ["x", "", "scales"], "resized", { mode: "cubic" }),
      node("LpNormalization", ["resized"], "z", { axis: -1 }),
      node("Softmax", ["spread"], "shares", { axis: -1 }),
      node("CumSum", ["shares", "last"], "sums"),
      node("Pow", ["sums", "power"], "p"),
      node("ConvTranspose", ["x", "kernel"], "t", { strides: [2, 2] }),
      node("InstanceNormalization", ["t", "scale", "shift"], "n"),
    ],
    inputs: [{ name: "x", shape: ["batch", 3, 5, 7] }],
    outputs: ["y", "z", "p", "n"].map((name) => ({ name })),
    initializers: {
      ...{ wide: tensor("f32", [], [9]), zero: tensor("f32", [], [0]), power: tensor("f32", [], [1.7]) },
      ...{
        scales: tensor("f32", [4], [1, 1, 2.2, 1.9]),
        last: int(3),
        kernel: floats(3, 4, 3, 3),
        scale: floats(4),
        shift: floats(4),
      },
    },
  });
}

/** A loop that grows a value until its condition fails, a scan, and a branch by what was computed. */
function control(): Uint8Array {
  const step = {
    nodes: [
      node("Mul", ["v", "factor"], "next"),
      node("ReduceMax", ["next"], "most", { keepdims: 0 }),
      node("Less", ["most", "bound"], "goes"),
      node("Tanh", ["next"], "shown"),
    ],
    inputs: [
      { name: "i", shape: [], type: 7 },
      { name: "is", shape: [], type: 9 },
      { name: "v", shape: ["batch", 5] },
    ],
    outputs: [
      { name: "goes", type: 9, shape: [] },
      { name: "next", shape: ["batch", 5] },
      { name: "shown", shape: ["batch", 5] },
    ],
  };
  const add = {
    nodes: [node("Add", ["sum", "part"], "added"), node("Sigmoid", ["added"], "seen")],
    inputs: [
      { name: "sum", shape: [5] },
      { name: "part", shape: [5] },
    ],
    outputs: [
      { name: "added", shape: [5] },
      { name: "seen", shape: [5] },
    ],
  };
  const branch = (op: string) => ({
    nodes: [node(op, ["scanned"], "chosen")],
    outputs: [{ name: "chosen", shape: ["batch", 5] }],
  });
  return onnxFile({
    nodes: [
      node("Loop", ["most_steps", "", "x"], ["grown", "all"], { body: { graph: step } }),
      node("Scan", ["start", "grown"], ["total", "scanned"], { body: { graph: add }, num_scan_inputs: 1 }),
      node("ReduceSum", ["total"], "whole", { keepdims: 0 }),
      node("Greater", ["whole", "bound"], "is_large"),
      node("If", ["is_large"], "y", {
        then_branch: { graph: branch("Exp") },
        else_branch: { graph: branch("Neg") },
      }),
    ],
    inputs: [{ name: "x", shape: ["batch", 5] }],
    outputs: ["y", "all", "total"].map((name) => ({ name })),
    initializers: {
      most_steps: int(20),
      start: floats(5),
      ...{ factor: tensor("f32", [], [1.5]), bound: tensor("f32", [], [20]) },
    },
  });
}

/** A decoder with past keys and values going in and present ones out. */
function exported(): Uint8Array {
  const { nodes, inputs, outputs, constants } = decoder({ keys: "past", values: "past", total: "total" });
  return onnxFile({
    nodes: nodes.map(({ op, name, inputs, outputs, attributes }) => ({
      ...{ op, name, inputs, outputs },
      attributes: op === "Cast" ? { to: 9 } : (attributes as FileNode["attributes"] & object),
    })),
    inputs: inputs.map(({ name, dtype, shape }) => ({ name, shape, type: dtype === "f32" ? 1 : 6 })),
    outputs: outputs.map((name) => ({ name })),
    initializers: Object.fromEntries(
      [...constants].map(([name, value]) => [
        name,
        value.dtype === "i32" ? { ...ints(...value.data), shape: value.shape } : value,
      ]),
    ),
  });
}

/** ONNX files by name. */
export const rooms = {
  recurrent: recurrent(),
  signal: signal(),
  functions: functions(),
  control: control(),
  decoder: exported(),
};
