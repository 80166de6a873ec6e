// jax-js on its wasm backend: an MLP of products, biases and Relu, all in one compiled function.

import * as jax from "@jax-js/jax";
import { turned } from "../unfold.js";

const { numpy: np, nn } = jax;

export async function prepare({ graph, samples, labels, rate }) {
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  let parameters = Object.fromEntries(
    [...graph.constants].map(([name, constant]) => {
      const { data, shape } = constant.shape.length === 2 ? turned(constant) : constant;
      return [name, np.array(data).reshape(shape)];
    }),
  );
  const x = np.array(samples.data).reshape(samples.shape);
  const rows = labels.length;
  const hot = new Float32Array(rows * 10);
  for (const [i, label] of labels.entries()) hot[i * 10 + label] = 1;
  const y = np.array(hot).reshape([rows, 10]);
  // What is read is let go of, unless `ref` is asked for.
  const refs = (p) => Object.fromEntries(Object.entries(p).map(([name, value]) => [name, value.ref]));
  const layers = graph.nodes.filter(({ op }) => op === "Linear");
  const lossOf = (p, x, y) => {
    let h = x;
    for (const [i, { inputs }] of layers.entries()) {
      h = np.matmul(h, p[inputs[1]]).add(p[inputs[2]]);
      if (i < layers.length - 1) h = nn.relu(h);
    }
    return nn
      .logSoftmax(h)
      .mul(y)
      .sum()
      .mul(-1 / rows);
  };
  const step = jax.jit((p, x, y) => {
    const [loss, gradients] = jax.valueAndGrad(lossOf)(refs(p), x, y);
    const updated = Object.keys(p).map((name) => [name, p[name].sub(gradients[name].mul(rate))]);
    return [loss, Object.fromEntries(updated)];
  });
  return async () => {
    const [loss, updated] = step(parameters, x.ref, y.ref);
    parameters = updated;
    const [value] = loss.dataSync();
    for (const parameter of Object.values(parameters)) await parameter.blockUntilReady?.();
    return value;
  };
}
