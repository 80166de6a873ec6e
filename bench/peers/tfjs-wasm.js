// TensorFlow.js on its wasm backend, one thread: the float graph, written with its fused operations over NHWC images.

import { fileURLToPath } from "node:url";
import * as wasm from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";

const LAYERS = new Set(["Conv", "Linear"]);

export async function prepare({ graph, feeds }) {
  const binaries = import.meta.resolve("@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm");
  wasm.setWasmPaths(fileURLToPath(new URL("./", binaries)));
  wasm.setThreadsCount(1);
  await tf.setBackend("wasm");
  const [{ name, shape }] = graph.inputs;
  const input = tf.tensor(feeds[name].data, shape);
  const x = shape.length === 4 ? tf.transpose(input, [0, 2, 3, 1]) : input;
  const calls = callsOf(graph);
  return () => {
    let result;
    // tidy looks for tensors in all that its function returns, element by element: it returns nothing.
    tf.tidy(() => {
      const values = new Map([[name, x]]);
      for (const { output, call } of calls) values.set(output, call(values));
      result = values.get(graph.outputs[0]).dataSync();
    });
    return result;
  };
}

/** One call a node; a Relu behind a layer becomes its activation. */
function callsOf({ nodes, constants }) {
  const fused = new Set();
  return nodes.flatMap((node) => {
    if (fused.has(node)) return [];
    const readers = nodes.filter(({ inputs }) => inputs.includes(node.outputs[0]));
    const relu =
      LAYERS.has(node.op) && readers.length === 1 && readers[0].op === "Relu" ? readers[0] : undefined;
    if (relu) fused.add(relu);
    const call = operations[node.op](node, constants, relu ? "relu" : "linear");
    return [{ output: (relu ?? node).outputs[0], call }];
  });
}

/** A constant as tfjs's tensor, its dimensions in another order where one is given. */
function held(constants, name, order) {
  if (name === undefined) return undefined;
  const { shape, data } = constants.get(name);
  const tensor = tf.tensor(data, shape);
  return order ? tf.transpose(tensor, order) : tensor;
}

const operations = {
  Linear({ inputs: [x, w, c] }, constants, activation) {
    const b = held(constants, w, [1, 0]);
    const bias = held(constants, c);
    return (values) => tf.fused.matMul({ a: values.get(x), b, bias, activation });
  },
  Conv({ inputs: [x, w, c], attributes }, constants, activation) {
    const { group, strides, pads } = attributes;
    const filter = held(constants, w, group === 1 ? [2, 3, 1, 0] : [2, 3, 0, 1]);
    const options = { filter, strides, pad: pads[0], bias: held(constants, c), activation };
    const conv = group === 1 ? tf.fused.conv2d : tf.fused.depthwiseConv2d;
    return (values) => conv({ x: values.get(x), ...options });
  },
  Relu:
    ({ inputs: [x] }) =>
    (values) =>
      tf.relu(values.get(x)),
  Add:
    ({ inputs: [a, b] }) =>
    (values) =>
      tf.add(values.get(a), values.get(b)),
  GlobalAveragePool:
    ({ inputs: [x] }) =>
    (values) =>
      tf.mean(values.get(x), [1, 2]),
  // Behind the pool alone: rows already.
  Flatten:
    ({ inputs: [x] }) =>
    (values) =>
      values.get(x),
};
