// Octette. As each runtime here, `prepare` takes a model and gives one run of it: a function that returns the elements of
// the first output, in any order, or a promise of them.

import { loadSync } from "../../build/index.js";

export async function prepare({ graph, feeds }) {
  const model = loadSync(graph);
  const [{ name }] = model.outputs;
  return () => model.runSync(feeds)[name].data;
}
