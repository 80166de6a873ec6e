// Octette. As each runtime here, `prepare` gives a function that takes a step and returns its loss, or a promise of it.

import { createStep } from "../training.js";

export async function prepare({ graph, samples, labels, rate, isCoded }) {
  const { run } = await createStep({ graph, samples, labels, rate, isCoded, momentum: 0 });
  return run;
}
