// A model's learning, seen from its page: a learner's jobs in a worker, which is downloaded with its wasm when the first of them is asked for.

import type { Feed } from "../../engine/feeds";
import type { Model } from "../../engine/model";
import type { Tensor } from "../../graph/tensor";
import { copied } from "../../learner/feeds";
import type { TuneOrder, TuneResult } from "../../learner/jobs";
import { openInPage } from "../../learner/ports";
import { type CallOptions, type Hand, WorkerHand } from "../../learner/workers";
import { type Sample, stacked } from "./samples";

/** As the options of `tune`. */
export interface LearnSettings {
  readonly train: string;
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly seed: number;
}

/** How many samples a model gets right, of how many. */
export interface Score {
  readonly right: number;
  readonly of: number;
}

/** The tuned model, and how it differs from the one before: files. */
export interface TunedFiles {
  readonly artifact: Uint8Array<ArrayBuffer>;
  readonly delta: Uint8Array<ArrayBuffer>;
  /** On all samples, those included that were put aside. */
  readonly before: Score;
  readonly after: Score;
}

export interface PageLearned {
  readonly summary: TuneResult["summary"];
  /** Absent where no state was better than the model before. */
  readonly tuned?: TunedFiles;
}

type Run = (feeds: Readonly<Record<string, Feed>>) => Promise<Readonly<Record<string, Tensor>>>;

export class PageLearner {
  readonly #model: Model;
  readonly #file: string;
  /** The worker, from the first tuning on. */
  #hand: Hand | undefined;
  /** Whether it has a tuned model. */
  #isTuned = false;

  /** `file` is the name of the model's artifact, which lies beside the page. */
  constructor(model: Model, file: string) {
    this.#model = model;
    this.#file = file;
  }

  /** Tunes the model that the page began with. The tuned one runs from here on, where it is better. */
  async tune(
    samples: readonly Sample[],
    { validation, ...options }: LearnSettings & { readonly validation: number },
    call: CallOptions,
  ): Promise<PageLearned> {
    if (!this.#hand?.isUp) [this.#hand, this.#isTuned] = [await start(), false];
    const hand = this.#hand;
    const response = await fetch(new URL(`./${encodeURIComponent(this.#file)}`, import.meta.url));
    const base = new Uint8Array(await response.arrayBuffer());
    const order: TuneOrder = {
      artifact: base.slice(),
      data: packed(samples, this.#model),
      validation,
      guard: undefined,
      checkpoint: undefined,
      hears: ["onBegin", "onStep"],
      options,
    };
    const { summary, artifact } = await hand.call("tune", order, call);
    if (!artifact) return { summary };
    // The one before is gone; until the next is whole, none answers.
    this.#isTuned = false;
    await hand.call("load", { artifact, options: {} });
    const run: Run = (feeds) => hand.call("run", { feeds: copied(feeds) });
    const tuned = {
      artifact,
      delta: await hand.call("delta", { base, tuned: artifact }),
      before: await this.#score(samples, (feeds) => this.#model.run(feeds)),
      after: await this.#score(samples, run),
    };
    this.#isTuned = true;
    return { summary, tuned };
  }

  /** What the tuned model answers, or undefined where there is none, or where its worker has ended. */
  async answer(feeds: Readonly<Record<string, Feed>>): Promise<Readonly<Record<string, Tensor>> | undefined> {
    if (!this.#isTuned || !this.#hand?.isUp) return undefined;
    return this.#hand.call("run", { feeds: copied(feeds) });
  }

  /** Samples whose label has the largest score. */
  async #score(samples: readonly Sample[], run: Run): Promise<Score> {
    let right = 0;
    for (const { feeds, label } of samples) {
      const { data } = (await run(feeds))[this.#model.outputs[0]!.name]!;
      if (data.indexOf(Math.max(...data) as never) === label) right++;
    }
    return { right, of: samples.length };
  }
}

async function start(): Promise<Hand> {
  if (typeof Worker === "undefined") throw new Error("this browser has no workers, and learning needs one");
  const worker = new Worker(new URL("./learn.js", import.meta.url), { type: "module" });
  return WorkerHand.start((listeners) => openInPage(worker, "its worker cannot be loaded", listeners), {});
}

/** Samples as a data set that is sent to a worker. */
function packed(samples: readonly Sample[], { inputs }: Model): TuneOrder["data"] {
  const { arrays, labels } = stacked(samples, inputs);
  const columns = inputs.map((input) => ({
    data: arrays.get(input.name)!,
    input,
    where: `samples, array "${input.name}"`,
    normalize: undefined,
    bytesAsNumbers: undefined,
  }));
  return { columns, labels, classes: undefined, where: "samples" };
}
