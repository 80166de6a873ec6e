// The operators that carry time in models, each alone, beside ONNX Runtime in wasm: float, one thread, in turns.
//   npm install --prefix bench/peers && node bench/peers/operators.js [--json FILE] [NAME…]

import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { exportOnnx, importOnnx, load, tensor } from "../../build/index.js";
import { formatTable } from "../../build/terminal.js";
import { prepare } from "./onnxruntime-web.js";

const WARM_UP_MS = 500;
const ROUNDS = 9;
/** A round's calls take at least this long. */
const ROUND_MS = 25;
/** Farthest that results may be apart, of the largest: whoever is faster computes the same. */
const TOLERANCE = 1e-3;

const { values, positionals } = parseArgs({ options: { json: { type: "string" } }, allowPositionals: true });

const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

/** Numbers between −1 and 1 that are the same in every run. */
function numbers(shape, seed = 1, from = -1, to = 1) {
  let state = seed * 2654435761;
  return tensor(
    "f32",
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return from + (to - from) * (state / 2 ** 32);
    }),
  );
}

const scalar = (value) => tensor("f32", [], [value]);
/** Indices below `limit`. */
const indices = (shape, limit) =>
  tensor("i32", shape, Int32Array.from(numbers(shape, 7, 0, limit).data, Math.floor));

const image = [1, 64, 56, 56];
const rows = [1, 197, 384];
const twice = [1, 1, 2, 2];
/** Small, so that rounding does not grow from step to step. */
const small = (shape) => numbers(shape, 5, -0.1, 0.1);
const heads = [1, 8, 256, 64];
const window = (kernel, more = {}) => ({ kernel_shape: kernel, ...more });
const same = (rank) => ({ pads: new Array(2 * rank).fill(1) });

/**
 * One operator a row: name, operator, attributes, then its inputs. Shapes are fed, tensors are known when the model is loaded, and
 * "" is left out.
 */
const cases = [
  ["Conv 3x3", "Conv", { ...window([3, 3]), ...same(2) }, image, numbers([64, 64, 3, 3])],
  ["Conv 1x1", "Conv", window([1, 1]), image, numbers([128, 64, 1, 1])],
  ["Conv depthwise", "Conv", { ...window([3, 3]), ...same(2), group: 64 }, image, numbers([64, 1, 3, 3])],
  ["Conv 1-D", "Conv", { ...window([9]), pads: [4, 4] }, [1, 64, 1000], numbers([64, 64, 9])],
  ["Conv 3-D", "Conv", { ...window([3, 3, 3]), ...same(3) }, [1, 16, 16, 32, 32], numbers([16, 16, 3, 3, 3])],
  [
    "ConvTranspose 2x2",
    "ConvTranspose",
    { ...window([2, 2]), strides: [2, 2] },
    [1, 64, 28, 28],
    numbers([32, 64, 2, 2]),
  ],
  [
    "ConvTranspose 4x4",
    "ConvTranspose",
    { ...window([4, 4]), strides: [2, 2], ...same(2) },
    [1, 64, 28, 28],
    numbers([32, 64, 4, 4]),
  ],
  ["MatMul known", "MatMul", {}, rows, numbers([384, 384])],
  ["MatMul batched", "MatMul", {}, heads, [1, 8, 64, 256]],
  ["Gemm", "Gemm", { transB: 1 }, [64, 512], numbers([512, 512]), numbers([512])],
  [
    "LSTM",
    "LSTM",
    { hidden_size: 128 },
    [64, 1, 128],
    small([1, 512, 128]),
    small([1, 512, 128]),
    small([1, 1024]),
  ],
  [
    "GRU",
    "GRU",
    { hidden_size: 128, linear_before_reset: 1 },
    [64, 1, 128],
    small([1, 384, 128]),
    small([1, 384, 128]),
    small([1, 768]),
  ],
  ["Softmax last axis", "Softmax", { axis: -1 }, [8, 256, 256]],
  ["Softmax axis 1", "Softmax", { axis: 1 }, [8, 256, 256]],
  ["LayerNormalization", "LayerNormalization", { axis: -1 }, [1, 512, 768], numbers([768]), numbers([768])],
  ["RMSNormalization", "RMSNormalization", { axis: -1 }, [1, 512, 768], numbers([768])],
  ["InstanceNormalization", "InstanceNormalization", {}, image, numbers([64]), numbers([64])],
  ["GroupNormalization", "GroupNormalization", { num_groups: 8 }, image, numbers([64]), numbers([64])],
  [
    "BatchNormalization",
    "BatchNormalization",
    {},
    image,
    numbers([64]),
    numbers([64]),
    numbers([64]),
    numbers([64], 3, 0.5, 1),
  ],
  ["Resize linear", "Interpolate", { mode: "linear", scales: twice }, [1, 32, 64, 64]],
  ["Resize cubic", "Interpolate", { mode: "cubic", scales: twice }, [1, 32, 64, 64]],
  [
    "Resize nearest",
    "Resize",
    { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor", scales: twice },
    [1, 64, 64, 64],
  ],
  ["ReduceMean H W", "ReduceMean", { axes: [2, 3] }, image],
  ["ReduceSum axis 1", "ReduceSum", { axes: [1] }, image],
  ["ReduceMax last axis", "ReduceMax", { axes: [1] }, [2048, 256]],
  ["ReduceL2 axis 0", "ReduceL2", { axes: [0] }, [2048, 256]],
  ["ArgMax last axis", "ArgMax", { axis: -1 }, [2048, 256]],
  ["Gather rows", "Gather", { axis: 0 }, numbers([4096, 256]), indices([1024], 4096)],
  ["GatherElements", "GatherElements", { axis: 1 }, [512, 1024], indices([512, 1024], 1024)],
  ["ScatterND", "ScatterND", {}, [4096, 256], indices([1024, 1], 4096), [1024, 256]],
  ["ScatterElements", "ScatterElements", { axis: 1 }, [512, 1024], indices([512, 256], 1024), [512, 256]],
  ["Transpose 0 2 1 3", "Transpose", { perm: [0, 2, 1, 3] }, [1, 256, 8, 128]],
  ["Transpose 0 2 3 1", "Transpose", { perm: [0, 2, 3, 1] }, image],
  ["Where", "Where", {}, tensor("bool", [512, 1024], indices([512, 1024], 2).data), [512, 1024], [512, 1024]],
  ["Pow", "Pow", {}, { shape: [256, 256], from: 0.1, to: 2 }, scalar(1.7)],
  ["Einsum", "Einsum", { equation: "bhid,bhjd->bhij" }, heads, heads],
  ["TopK last axis", "TopK", { axis: -1, k: [10] }, [256, 1024]],
  ["TopK axis 1", "TopK", { axis: 1, k: [5] }, [8, 256, 128]],
  ["CumSum", "CumSum", { axis: [1] }, [512, 1024]],
  ["MaxPool 3x3", "MaxPool", { ...window([3, 3]), strides: [2, 2], ...same(2) }, image],
  ["MaxPool 3-D", "MaxPool", { ...window([2, 2, 2]), strides: [2, 2, 2] }, [1, 32, 16, 32, 32]],
  ["AveragePool 3x3", "AveragePool", { ...window([3, 3]), ...same(2) }, image],
  ["LRN", "LRN", { size: 5 }, image],
  ["Gelu", "Gelu", {}, [512, 1024]],
  ["Erf", "Erf", {}, [512, 1024]],
  ["Tanh", "Tanh", {}, [512, 1024]],
  ["Exp", "Exp", {}, [512, 1024]],
  ["Sigmoid", "Sigmoid", {}, [512, 1024]],
  ["HardSwish", "HardSwish", {}, [512, 1024]],
  ["PRelu", "PRelu", {}, image, numbers([64, 1, 1])],
  ["Add channels", "Add", {}, image, [1, 64, 1, 1]],
  ["Div", "Div", {}, [512, 1024], { shape: [512, 1024], from: 0.5, to: 2 }],
  ["Concat axis 1", "Concat", { axis: 1 }, image, image],
  ["Slice", "Slice", { starts: [0, 0], ends: [55, 55], axes: [2, 3], steps: [2, 2] }, image],
  ["Pad reflect", "Pad", { mode: "reflect", pads: [0, 0, 3, 3, 0, 0, 3, 3] }, image],
  ["DepthToSpace", "DepthToSpace", { blocksize: 2 }, image],
  ["Expand", "Expand", { shape: [4, 64, 56, 56] }, [1, 64, 56, 1]],
  ["Clip", "Clip", {}, [512, 1024], scalar(-0.5), scalar(0.5)],
];

/** The graph of one operator, and what it is fed. */
async function caseOf([name, op, attributes, ...operands]) {
  const constants = new Map();
  const feeds = {};
  const inputs = operands.map((operand, i) => {
    const value = `x${i}`;
    if (operand === "") return "";
    if (Array.isArray(operand) || "from" in operand) {
      const { shape, from, to } = Array.isArray(operand) ? { shape: operand } : operand;
      feeds[value] = numbers(shape, i + 2, from, to);
    } else constants.set(value, operand);
    return value;
  });
  // What is known in full is fed, so that no one computes it when loading.
  if (Object.keys(feeds).length === 0)
    for (const [value, { dtype }] of [...constants])
      if (dtype === "f32") {
        feeds[value] = constants.get(value);
        constants.delete(value);
      }
  const outputs = { TopK: ["y", "at"], LSTM: ["y"], GRU: ["y"] }[op] ?? ["y"];
  const graph = {
    name,
    inputs: Object.entries(feeds).map(([value, { dtype, shape }]) => ({ name: value, dtype, shape })),
    outputs,
    nodes: [{ op, name: op, inputs, outputs, attributes }],
    constants,
    provenance: {},
  };
  return { onnx: await exportOnnx(graph), feeds };
}

/** Milliseconds of a call, over as many calls as a round needs. */
async function timed(run, calls) {
  const start = performance.now();
  for (let i = 0; i < calls; i++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  return (performance.now() - start) / calls;
}

async function warmUp(run) {
  const start = performance.now();
  let calls = 0;
  for (; performance.now() - start < WARM_UP_MS; calls++) await run();
  return Math.max(1, Math.ceil((ROUND_MS * calls) / WARM_UP_MS));
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

function apart(a, b) {
  let [distance, largest] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    distance = Math.max(distance, Math.abs(Number(a[i]) - Number(b[i])));
    largest = Math.max(largest, Math.abs(Number(b[i])));
  }
  return a.length === b.length ? distance / (largest || 1) : Infinity;
}

const results = [];
const left = [];
for (const one of cases) {
  const [name] = one;
  if (positionals.length > 0 && !positionals.some((part) => name.includes(part))) continue;
  try {
    const { onnx, feeds } = await caseOf(one);
    const model = await load(importOnnx(onnx));
    const [{ name: output }] = model.outputs;
    const { data } = model.runSync(feeds)[output];
    // Both write to arrays that are there: a run within a model makes none.
    const own = () => model.runSync(feeds, { [output]: data });
    const peer = await prepare({ onnx, feeds, into: true });
    own();
    const difference = apart(data, await peer());
    if (!(difference <= TOLERANCE))
      throw new Error(`results differ by ${difference.toExponential(1)} of the largest`);
    const calls = [await warmUp(own), await warmUp(peer)];
    const times = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      times[0].push(await timed(own, calls[0]));
      times[1].push(await timed(peer, calls[1]));
    }
    model.dispose();
    const [ours, theirs] = times.map(median);
    results.push({ name, ours, theirs, ratio: theirs / ours });
  } catch (error) {
    left.push(`${name}: ${error.message.split("\n")[0]}`);
  }
}

console.log(
  formatTable(
    ["operator", "octette ms", "ONNX Runtime ms", "times as fast"],
    results.map(({ name, ours, theirs, ratio }) => [
      name,
      ours.toFixed(3),
      theirs.toFixed(3),
      ratio.toFixed(2),
    ]),
  ),
);
if (results.length > 0) {
  const middle = median(results.map(({ ratio }) => ratio)).toFixed(2);
  console.log(`median ${middle} of ${results.length}, Node ${process.versions.node}`);
}
for (const line of left) console.log(`left out: ${line}`);
if (values.json) await writeFile(values.json, JSON.stringify(results));
