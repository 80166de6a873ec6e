// What can be trained in so much memory: the largest choice whose plan fits. Plans are made, not estimated: a step takes what
// its plan says, to the page.

import { formatBytes } from "../../bytes";
import { OctetteError } from "../../errors";
import type { Graph } from "../../graph/graph";
import { planOf, takesRounds } from "../step/plan";
import type { Parameter } from "../step/prepare";
import { batchSymbol, stepOf } from "../step/step";
import type { Training } from "../training";
import { select, type Trained } from "./select";
import type { TrainerOptions } from "./trainer";

/** What moves, in steps of how many samples, and how many of those before an update. */
export interface Choice {
  readonly train: Trained;
  readonly batch: number;
  readonly accumulate: number;
}

export interface Fitted extends Choice {
  readonly bytes: number;
  /** In words: what was left out, and what it would have taken. */
  readonly reason: string;
}

/** Smallest part of a batch that a step may take. */
const PARTS = 8;

/**
 * From most to least: everything, in ever smaller steps whose gradients are summed; then fewer of the last layers; then scales;
 * then biases. The sum over a batch is the same however it is cut; where rows meet it is not cut.
 */
function choicesOf(
  graph: Graph,
  parameters: readonly Parameter[],
  { train, batch, accumulate }: Choice,
  training: Training | undefined,
): Choice[] {
  const parts: Choice[] = [];
  const most = batchSymbol(graph, training) === undefined ? 1 : PARTS;
  for (let part = 1; part <= most && batch / part >= 1; part *= 2)
    parts.push({ train, batch: Math.ceil(batch / part), accumulate: accumulate * part });
  const smallest = parts.at(-1)!;
  const layers = new Set(parameters.map(({ index }) => index)).size;
  const fewer = Array.from({ length: Math.max(0, layers - 1) }, (_, i) => `last:${layers - 1 - i}`);
  const others = train === "all" ? [...fewer, "scales", "bias"] : [];
  return [...parts, ...others.map((less) => ({ ...smallest, train: less }))];
}

/** The first choice whose step takes at most `budget` bytes. Throws where none does, before anything is allocated. */
export function fitMemory(
  graph: Graph,
  parameters: readonly Parameter[],
  wanted: Choice,
  budget: number,
  optionsFor: (choice: Choice) => TrainerOptions,
): Fitted {
  select(parameters, wanted.train); // throws where nothing is asked for
  let first: number | undefined;
  let least = Infinity;
  for (const choice of choicesOf(graph, parameters, wanted, optionsFor(wanted).training)) {
    const chosen = selectIfAny(parameters, choice.train);
    if (chosen.length === 0) continue;
    const step = optionsFor(choice);
    const inRounds = takesRounds(graph, chosen, step);
    const { engine, engineClass = engine.classFor(graph), training } = step;
    const whole = stepOf(graph, chosen, { ...step, inRounds });
    const plan = planOf(whole, choice.batch, engineClass, training?.ops);
    const bytes = plan.memory.totalBytes;
    first ??= bytes;
    least = Math.min(least, bytes);
    if (bytes > budget) continue;
    const what = choice.train === wanted.train ? wanted.train : `${choice.train} instead of ${wanted.train}`;
    const how =
      choice.accumulate > wanted.accumulate
        ? `, ${choice.accumulate} steps of ${choice.batch} an update`
        : "";
    const more = `, where ${wanted.train} in steps of ${wanted.batch} would take ${formatBytes(first)}`;
    const reason = `trains ${what}${how}: ${formatBytes(bytes)}${bytes === first ? "" : more}`;
    return { ...choice, bytes, reason };
  }
  throw new OctetteError("nothing can be trained in so little memory", {
    code: "limit",
    where: "maxBytes",
    expected: `at least ${least} bytes (${formatBytes(least)})`,
    got: `${budget} bytes`,
    hint: "Take a smaller batch, or a larger maxBytes (--max-bytes)",
  });
}

function selectIfAny(parameters: readonly Parameter[], train: Trained): Parameter[] {
  try {
    return select(parameters, train);
  } catch (error) {
    if (error instanceof OctetteError && error.code === "argument") return [];
    throw error;
  }
}
