// What people read while a model is tuned and when it is done: a bar, a line an epoch, and the models side by side.

import type { Dataset } from "../data/index";
import type { Graph, LoadOptions, Progress } from "../index";
import { agreementOf, answersOf, type PairedTest, pairedTest } from "../report/index";
import type { BeginReport, EpochReport, StepReport, Validation } from "../train/index";
import type { Context } from "./command";
import { loadForData } from "./open-model";
import { formatBytes, formatDuration, formatP, formatPercent } from "./terminal";

/** Tells how tuning goes on. */
export function narrator({ log, progress }: Context) {
  let begun: BeginReport;
  let beganAt = 0;
  return {
    onBegin(begin: BeginReport): void {
      begun = begin;
      beganAt = performance.now();
      const { samples, validation, steps, batch, parameters, bytes, before, notes } = begin;
      log(
        ...notes,
        `trains ${parameters} numbers on ${samples} samples, ${steps} steps of ${batch} in ${formatBytes(bytes)}; ${validation.count} samples validate`,
        `before     ${validationText(before)}`,
      );
    },
    onStep(step: StepReport): void {
      const { epochs, bytes, steps } = begun;
      const seconds = (performance.now() - beganAt) / 1000;
      const left = (seconds * (steps - step.step)) / (step.step - begun.step);
      const detail = [
        `loss ${step.loss.toFixed(3)}`,
        formatPercent(step.accuracy, 1),
        `${formatDuration(left)} left`,
        formatBytes(bytes),
      ];
      progress.update(`epoch ${step.epoch}/${epochs}`, step.step, steps, detail.join("  "));
    },
    onEpoch({ epoch, loss, accuracy, validation, changed, isBest }: EpochReport): void {
      const parts = [
        `epoch ${epoch}/${begun.epochs}`,
        validationText(validation),
        `training ${formatPercent(accuracy)}, ${loss.toFixed(4)}`,
        ...(isBest ? ["best"] : []),
        `${changed} codes moved`,
      ];
      log(parts.join("  "));
    },
  };
}

const validationText = ({ accuracy, loss }: Validation) =>
  `validation ${formatPercent(accuracy)}, loss ${loss.toFixed(4)}`;

/** One of the models side by side. */
export interface Candidate {
  readonly name: string;
  readonly graph: Graph;
  /** Of its file. */
  readonly bytes: number;
}

export interface Measured {
  readonly samples: number;
  readonly models: readonly {
    readonly name: string;
    readonly top1: number;
    /** Percent of samples for which it chooses what the float model does. */
    readonly agreement?: number;
    readonly bytes: number;
  }[];
  /** The last model against the one before. */
  readonly paired: PairedTest;
}

/** Runs every model once over the data. A model named `float` is what the others are compared with. */
export async function measure(
  candidates: readonly Candidate[],
  data: Dataset,
  maxBytes: LoadOptions["maxBytes"],
  { progress, signal }: Context,
): Promise<Measured> {
  const labels = data.labels!;
  const answers: Int32Array[] = [];
  for (const [i, { graph }] of candidates.entries()) {
    const model = await loadForData(graph, { maxBytes });
    const onProgress = ({ done }: Progress) =>
      progress.update("measure", i * data.count + done, candidates.length * data.count);
    try {
      answers.push(await answersOf(model, data, { onProgress, signal }));
    } finally {
      model.dispose();
    }
  }
  progress.end();
  const float = candidates.findIndex(({ name }) => name === "float");
  return {
    samples: data.count,
    models: candidates.map(({ name, bytes }, i) => ({
      name,
      top1: agreementOf(answers[i]!, labels),
      ...(float < 0 ? {} : { agreement: agreementOf(answers[i]!, answers[float]!) }),
      bytes,
    })),
    paired: pairedTest(answers.at(-1)!, answers.at(-2)!, labels),
  };
}

export function measuredText(
  { samples, models, paired }: Measured,
  data: string,
  { table }: Context,
): string[] {
  const hasFloat = models.some(({ agreement }) => agreement !== undefined);
  const cells = models.map(({ name, top1, agreement, bytes }) => [
    name,
    formatPercent(top1),
    ...(hasFloat ? [formatPercent(agreement)] : []),
    formatBytes(bytes),
  ]);
  const header = ["model", "top-1", ...(hasFloat ? ["agrees with float"] : []), "file"];
  return [
    ...table(header, cells, "lrrr"),
    "",
    `data    ${samples} ${data}`,
    `tuned   ${verdict(paired, models.at(-2)!.name)}`,
  ];
}

/** Differences that chance makes more rarely than this are none of its. */
const SIGNIFICANT = 0.05;

function verdict({ onlyRight, onlyOtherRight, p }: PairedTest, other: string): string {
  if (onlyRight === 0 && onlyOtherRight === 0) return `right where ${other} is, on every sample`;
  const better = onlyRight > onlyOtherRight ? "better than" : "worse than";
  const words =
    p < SIGNIFICANT ? `${better} ${other}, beyond chance` : `as good as ${other}: what differs may be chance`;
  return `${words} (McNemar p ${formatP(p)}; right alone on ${onlyRight} samples, wrong alone on ${onlyOtherRight})`;
}
