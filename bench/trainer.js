// What the package keeps to itself of training, bundled from its sources: one step, of which `tune` takes many, and its plan.

import { mkdirSync } from "node:fs";
import { build } from "esbuild";
import { options, root } from "../scripts/esbuild.js";

const folder = `${root}build/bench/`;
const outfile = `${folder}trainer.js`;
const contents = `
  export { inlined } from "./src/engine/inlined";
  export { Engine } from "./src/engine/wasm";
  export { train } from "./src/train/inlined";
  export { LABELS } from "./src/train/step/losses";
  export { createOptimizer } from "./src/train/step/optimizers";
  export { parametersOf } from "./src/train/step/prepare";
  export { planOf, takesRounds } from "./src/train/step/plan";
  export { training } from "./src/train/training";
  export { select } from "./src/train/run/select";
  export { stepOf } from "./src/train/step/step";
  export { Trainer } from "./src/train/run/trainer";`;
mkdirSync(folder, { recursive: true });
await build({ ...options, stdin: { contents, resolveDir: root, loader: "ts" }, outfile });

export const {
  createOptimizer,
  Engine,
  inlined,
  LABELS,
  parametersOf,
  planOf,
  select,
  stepOf,
  takesRounds,
  train,
  Trainer,
  training,
} = await import(outfile);
