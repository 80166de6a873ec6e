// Steps of training to measure: a model of this project or from OCTETTE_DATA, in float or in 8 bits, on made-up samples.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { importOnnx, quantize } from "../build/index.js";
import { dataFolder } from "./data.js";
import { batched, fill } from "./graphs.js";
import {
  createOptimizer,
  Engine,
  inlined,
  LABELS,
  parametersOf,
  select,
  stepOf,
  Trainer,
  takesRounds,
  train,
} from "./trainer.js";

/** Small enough for the numbers to stay what they are. */
export const RATE = 1e-5;

/** A float model by name: a trained one where there is one, else one of graphs.js. */
export function modelOf(name) {
  const own = fileURLToPath(new URL(`../examples/${name}/${name}.onnx`, import.meta.url));
  const path = existsSync(own) ? own : join(dataFolder, "vision", `${name}.onnx`);
  return name !== "mlp" && existsSync(path) ? importOnnx(readFileSync(path)) : batched[name];
}

/** Made-up samples of a graph's input. */
export const samplesOf = ({ inputs: [{ shape }] }, batch) => fill("f32", [batch, ...shape.slice(1)]);

/** A trainer of all parameters, whose scales of activations move as asked for, one step of it on the same samples again and again, and what its plan is made of. */
export async function createStep({ graph, samples, labels, rate, isCoded, momentum, activations }) {
  const [{ name }] = graph.inputs;
  const feeds = { [name]: samples };
  const deployed = isCoded ? await quantize(graph, { calibration: [feeds] }) : { graph };
  const batch = labels.length;
  const options = {
    losses: [{ kind: "crossEntropy" }],
    optimizer: createOptimizer({ kind: "sgd", lr: rate, momentum }),
    keepsGradients: false,
    activations,
    batch,
    engine: new Engine({ ...inlined, train }),
  };
  const parameters = select(parametersOf(deployed.graph, deployed.masters));
  const inRounds = takesRounds(deployed.graph, parameters, options);
  const trainer = new Trainer(deployed.graph, parameters, options);
  const fed = { ...feeds, [LABELS]: { dtype: "i32", shape: [batch], data: labels } };
  return {
    trainer,
    step: stepOf(deployed.graph, parameters, { ...options, inRounds }),
    run: () => trainer.run(fed, rate, 1).loss,
    profile: () => trainer.profile(fed, rate),
  };
}
