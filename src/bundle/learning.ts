// What a page carries so that its model can learn there: the ops, gradients and kernels of its training steps; or why it cannot.

import { kernelsOf } from "../engine/plan";
import { withoutRunSizes } from "../engine/planner";
import { OctetteError } from "../errors";
import type { Graph } from "../graph/graph";
import { RunSizesNeeded } from "../graph/symbols";
import { inferTypes } from "../ops/infer";
import { toolkit } from "../toolkit/toolkit";
import { select } from "../train/run/select";
import { defaults, lossesFor } from "../train/run/tune-options";
import { createOptimizer } from "../train/step/optimizers";
import { planOf, takesRounds } from "../train/step/plan";
import { parametersOf } from "../train/step/prepare";
import { stepOf } from "../train/step/step";
import { trainingOf } from "../train/training";

/** What may be trained in a page, and batches whose steps have every kernel: of one sample, of several, of many in micro-batches. */
const TRAINED = ["all", "last:1", "bias"];
const BATCHES = [1, 2, 64];

export interface Learning {
  /** Ops of the model, and those of its training steps. */
  readonly ops: readonly string[];
  readonly steps: readonly string[];
  readonly kernels: ReadonlySet<string>;
  /** Whether training has sizes that only a run knows. */
  readonly hasRunSizes: boolean;
}

/** What learning takes, by the options that the page has; a text says why the model cannot learn there. */
export function learningOf(graph: Graph): Learning | string {
  if (graph.nodes.some(({ graphs }) => graphs))
    return "It has graphs within its graph, which have no gradient.";
  const { shape = [] } = inferTypes(graph, toolkit.ops).get(graph.outputs[0]!) ?? {};
  if (shape.length !== 2 || typeof shape[1] !== "number") return "Its first output is not a row of scores.";
  if (shape[1] < 2) return "Its first output is one number, not the scores of several classes.";
  if (graph.inputs.some((input) => input.shape.slice(1).some((dim) => typeof dim === "string")))
    return "Its inputs have more than one open size.";
  if (graph.inputs.some(({ name }) => name === "labels"))
    return 'Its input "labels" has the name of the labels in a file of samples.';
  try {
    return learningSteps(graph);
  } catch (error) {
    if (error instanceof OctetteError) return `It cannot be tuned: ${error.message}`;
    throw error;
  }
}

function learningSteps(graph: Graph): Learning {
  try {
    return { ...withoutRunSizes(() => stepsOf(graph)), hasRunSizes: false };
  } catch (error) {
    if (!(error instanceof RunSizesNeeded)) throw error;
    return { ...stepsOf(graph), hasRunSizes: true };
  }
}

function stepsOf(graph: Graph): Omit<Learning, "hasRunSizes"> {
  const training = trainingOf(toolkit);
  const all = parametersOf(graph, undefined, defaults.scales, toolkit.ops);
  const optimizer = createOptimizer({ ...defaults.optimizer, lr: defaults.lr });
  const losses = lossesFor({} as Parameters<typeof lossesFor>[0]);
  const steps = new Set<string>();
  const kernels = new Set<string>();
  const fixed = graph.inputs[0]!.shape[0];
  const trained = all.some(({ kind }) => kind === "bias") ? TRAINED : TRAINED.filter((one) => one !== "bias");
  for (const batch of typeof fixed === "number" ? [fixed] : BATCHES)
    for (const train of trained)
      for (const keepsGradients of typeof fixed === "number" || train === "bias" ? [false, true] : [false]) {
        const parameters = select(all, train);
        const options = { losses, optimizer, keepsGradients, batch, training };
        const inRounds = takesRounds(graph, parameters, options);
        const step = stepOf(graph, parameters, { ...options, inRounds });
        for (const { op } of step.graph.nodes) steps.add(op);
        for (const kernel of kernelsOf(planOf(step, batch, "baseline", training.ops))) kernels.add(kernel);
      }
  return { ops: [...new Set(graph.nodes.map(({ op }) => op))], steps: [...steps], kernels };
}
