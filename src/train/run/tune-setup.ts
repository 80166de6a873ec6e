// What a run of fine-tuning is made of: the samples, the options with their defaults, and a trainer that memory allows.

import { byteSize } from "../../bytes";
import type { Dataset } from "../../data/index";
import { checkLimit, DEFAULT_MAX_BYTES, isLimit } from "../../engine/limit";
import type { Model } from "../../engine/model";
import type { Plan } from "../../engine/plan";
import type { GiveWay } from "../../event-loop";
import type { Graph } from "../../graph/graph";
import type { Toolkit } from "../../toolkit/toolkit";
import { activationsOf, checkScales } from "../step/activations";
import { createOptimizer } from "../step/optimizers";
import { findRounds } from "../step/plan";
import { parametersOf } from "../step/prepare";
import { batchSymbol } from "../step/step";
import { type Training, trainingOf } from "../training";
import { type Choice, fitMemory } from "./budget";
import { identityOf } from "./identity";
import { divided } from "./samples";
import { checkSchedule } from "./schedules";
import { select } from "./select";
import { stepFeeds } from "./step-feeds";
import { Trainer } from "./trainer";
import { choiceOf, defaults, lossesFor, type TuneDeployedOptions } from "./tune-options";
import { checkClasses, evaluated } from "./validate";

export interface TuneSetup {
  readonly options: TuneDeployedOptions & typeof defaults;
  readonly training: Training;
  readonly data: Dataset;
  readonly validation: Dataset;
  readonly trainer: Trainer;
  readonly teacher: Model | undefined;
  readonly feedsOf: ReturnType<typeof stepFeeds>;
  /** Samples of a step. */
  readonly batch: number;
  /** Steps of an update. */
  readonly accumulate: number;
  /** Steps of an epoch. */
  readonly perEpoch: number;
  /** What all results depend on, as a checkpoint has it. */
  readonly identity: string;
  /** What memory left out. */
  readonly notes: string[];
}

/** Checks options and data, and takes the memory; gives way between the plans that it makes. */
export async function setUp(
  graph: Graph,
  given: TuneDeployedOptions,
  toolkit: Toolkit,
  giveWay: GiveWay,
): Promise<TuneSetup> {
  const { engine } = toolkit;
  const training = trainingOf(toolkit);
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  const options = { ...defaults, ...Object.fromEntries(named) } as TuneDeployedOptions & typeof defaults;
  const { clip, ranges, scales, activationScales } = options;
  const { data, validation } = divided(given.data, options.validation, options.seed);
  const maxBytes = byteSize(given.maxBytes ?? DEFAULT_MAX_BYTES, "maxBytes");
  checkScales(scales, activationScales);
  checkSchedule(options.schedule);
  const optimizer = createOptimizer({ ...options.optimizer, lr: options.lr });
  const losses = given.losses ?? lossesFor(given);
  const all = parametersOf(graph, given.masters, scales, toolkit.ops);
  const wanted = choiceOf(given, graph, data.count, batchSymbol(graph, training) !== undefined);
  const stepsOf = (batch: number) => Math.ceil(data.count / batch);
  const optionsFor = ({ batch, accumulate }: Choice) => ({
    losses,
    optimizer,
    keepsGradients: clip !== undefined || accumulate > 1,
    activations: activationsOf(ranges, activationScales, stepsOf(batch) * options.epochs),
    batch,
    seed: options.seed,
    engine,
    training,
  });
  const open = async (choice: Choice) => {
    const checkPlan = (plan: Plan) => checkLimit(plan, maxBytes, graph.name);
    const [parameters, options] = [select(all, choice.train), optionsFor(choice)];
    const inRounds = await findRounds(graph, parameters, options, giveWay);
    return { ...choice, trainer: new Trainer(graph, parameters, { ...options, inRounds, checkPlan }) };
  };
  const notes: string[] = [];
  /** What is asked for, or the most of it that memory allows. */
  const openFitting = async () => {
    try {
      return await open(wanted);
    } catch (error) {
      if (!isLimit(error)) throw error;
      const fitted = fitMemory(graph, all, wanted, maxBytes, optionsFor);
      notes.push(fitted.reason);
      return open(fitted);
    }
  };
  const { train, batch, accumulate, trainer } = await openFitting();
  const classes = trainer.plan.outputs[1]!.type.shape.at(-1) as number;
  for (const set of [data, validation]) checkClasses(set, classes);
  const teacher = given.teacher && evaluated(given.teacher, engine, given.maxBytes, training);
  return {
    ...{ options, training, data, validation, trainer, teacher, batch, accumulate, notes },
    feedsOf: stepFeeds(graph.inputs, data, given, teacher),
    perEpoch: stepsOf(batch),
    identity: identityOf(options, {
      losses,
      optimizer,
      batch,
      accumulate,
      train,
      samples: [data.count, validation.count],
    }),
  };
}
