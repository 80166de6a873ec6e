// Learning in the page: samples that are kept, a worker that learns from them, what it made better, and files to take away. The worker
// and its wasm are downloaded when someone presses Learn, and not before.

import type { Feed } from "../../engine/feeds";
import type { Model } from "../../engine/model";
import { allocate, type Tensor } from "../../graph/tensor";
import { button, choose, download, labelled, make } from "./dom";
import type { LearnNews, LearnOrder, LearnSettings, Samples, Score } from "./learn-talk";
import { drawLine } from "./plot";

/** Part of the samples that is put aside to choose the state that is kept, and fewest samples for it to hold one. */
const VALIDATION = 0.2;
const FEWEST = 1 / VALIDATION;

interface Sample {
  readonly label: number;
  readonly feeds: Readonly<Record<string, Feed>>;
  readonly element: HTMLElement;
}

/** What the panel needs of the page around it. */
export interface PageAccess {
  /** The model, and the name of its file. */
  readonly model: Model;
  readonly file: string;
  /** What is shown to the model now, if anything. */
  read(): Readonly<Record<string, Feed>> | undefined;
  thumbnails(): readonly HTMLElement[];
  /** Another model answers from here on. */
  changed(): void;
}

export class LearnPanel {
  readonly element: HTMLElement;
  readonly #around: PageAccess;
  readonly #names: readonly string[];
  readonly #counts = make("p", { className: "note" });
  readonly #list = make("ul", { className: "samples", ariaLabel: "Samples" });
  readonly #status = make("p", { role: "status" });
  readonly #progress = make("progress", { ariaLabel: "Steps", value: 0, hidden: true });
  readonly #curve = make("canvas", {
    ...{ className: "wave", width: 640, height: 120, hidden: true },
    ...{ role: "img", ariaLabel: "Loss, step by step" },
  });
  readonly #result = make("div");
  readonly #learn = button("Learn", () => this.#begin(), "main");
  readonly #stop = button("Stop", () => this.#order({ kind: "stop" }));
  readonly #save = button("Download the samples", () =>
    this.#order({ kind: "save", samples: this.#stacked() }),
  );
  readonly #train;
  readonly #epochs = make("input", { type: "number", min: "1", value: "20" });
  readonly #batch = make("input", { type: "number", min: "1", value: "8" });
  readonly #lr = make("input", { type: "number", min: "0", step: "any", value: "0.001" });
  #trained = "all";
  #label = 0;
  #samples: readonly Sample[] = [];
  #losses: number[] = [];
  #worker: Worker | undefined;
  /** What the worker is told once it listens. */
  #waiting: LearnOrder[] | undefined;
  #isTuned = false;
  #asked = 0;
  readonly #answers = new Map<number, (outputs: Readonly<Record<string, Tensor>> | undefined) => void>();

  constructor(around: PageAccess) {
    this.#around = around;
    const { model } = around;
    const count = model.outputs[0]!.shape[1] as number;
    this.#names = model.classes ?? Array.from({ length: count }, (_, i) => `${i}`);
    const label = choose(
      this.#names.map((name, i) => [name, i] as const),
      (chosen) => {
        this.#label = chosen;
      },
    );
    this.#train = choose(
      [
        ["all layers", "all"],
        ["the last layer", "last:1"],
        ["biases", "bias"],
      ] as const,
      (chosen) => {
        this.#trained = chosen;
      },
    );
    this.element = make(
      "div",
      {},
      make(
        "p",
        {},
        "Show it something above, say what it is, and keep it. It learns from the samples that are kept here, and from nothing else: keep some of every class, or it forgets.",
      ),
      make(
        "div",
        { className: "row" },
        labelled("It is", label),
        button("Keep this sample", () => this.#keep()),
      ),
      this.#counts,
      this.#list,
      make(
        "details",
        {},
        make("summary", {}, "How it learns"),
        make(
          "div",
          { className: "row" },
          labelled("Train", this.#train),
          labelled("Epochs", this.#epochs),
          labelled("Samples a step", this.#batch),
          labelled("Learning rate", this.#lr),
        ),
      ),
      make("div", { className: "row" }, this.#learn, this.#stop, this.#save),
      this.#progress,
      this.#curve,
      this.#status,
      this.#result,
    );
    this.#show(false);
  }

  /** What the tuned model answers, or undefined where there is none. */
  async answer(feeds: Readonly<Record<string, Feed>>): Promise<Readonly<Record<string, Tensor>> | undefined> {
    if (!this.#isTuned) return undefined;
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#order({ kind: "run", id, feeds: feeds as Readonly<Record<string, Tensor>> });
    });
  }

  #keep(): void {
    const feeds = this.#around.read();
    if (!feeds) {
      this.#status.textContent = "There is nothing to keep yet: show it something first.";
      return;
    }
    const label = this.#label;
    const name = this.#names[label]!;
    const copies = Object.entries(feeds).map(([input, feed]) => [
      input,
      { ...feed, data: feed.data.slice() },
    ]);
    const remove = button("×", () => {
      this.#samples = this.#samples.filter((other) => other !== sample);
      this.#show(false);
    });
    remove.ariaLabel = `Remove this ${name}`;
    const element = make("li", {}, ...this.#around.thumbnails(), make("span", {}, name), remove);
    const sample: Sample = { label, feeds: Object.fromEntries(copies), element };
    this.#samples = [...this.#samples, sample];
    this.#status.textContent = `Kept: ${name}.`;
    this.#show(false);
  }

  #show(isBusy: boolean): void {
    const { length } = this.#samples;
    this.#list.replaceChildren(...this.#samples.map(({ element }) => element));
    const classes = new Set(this.#samples.map(({ label }) => label)).size;
    const missing = FEWEST - length;
    this.#counts.textContent =
      `${length} ${length === 1 ? "sample" : "samples"} of ${classes} ${classes === 1 ? "class" : "classes"}` +
      (missing > 0 ? `; ${missing} more to begin` : "");
    this.#learn.disabled = isBusy || missing > 0;
    this.#stop.disabled = !isBusy;
    this.#save.disabled = length === 0;
  }

  /** All samples, one after the other. */
  #stacked(): Samples {
    const arrays = this.#around.model.inputs.map(({ name }) => {
      const feeds = this.#samples.map(({ feeds }) => feeds[name]!);
      const [{ dtype, shape, data: one }] = feeds as [Feed];
      const data = allocate(dtype, one.length * feeds.length);
      feeds.forEach((feed, i) => {
        data.set(feed.data, i * one.length);
      });
      return [name, { dtype, shape: [feeds.length, ...shape.slice(1)], data }] as const;
    });
    return {
      arrays: Object.fromEntries(arrays),
      labels: Int32Array.from(this.#samples, ({ label }) => label),
    };
  }

  get #settings(): LearnSettings {
    return {
      train: this.#trained,
      epochs: this.#epochs.valueAsNumber,
      batch: this.#batch.valueAsNumber,
      lr: this.#lr.valueAsNumber,
      validation: VALIDATION,
      seed: 0,
    };
  }

  #order(order: LearnOrder): void {
    if (typeof Worker === "undefined") {
      this.#status.textContent = "This browser has no workers: learning needs one.";
      return;
    }
    if (!this.#worker) {
      this.#waiting = [];
      this.#worker = new Worker(new URL("./learn.js", import.meta.url), { type: "module" });
      this.#worker.onmessage = ({ data }: MessageEvent<LearnNews>) => this.#told(data);
      this.#worker.onerror = (event) => {
        event.preventDefault();
        this.#worker = undefined;
        this.#fail(event.message || "its worker cannot be loaded");
      };
    }
    if (this.#waiting) this.#waiting.push(order);
    else this.#worker.postMessage(order);
  }

  #begin(): void {
    this.#losses = [];
    this.#result.replaceChildren();
    this.#status.textContent = "Loading what it takes to learn.";
    this.#show(true);
    this.#order({
      kind: "learn",
      model: this.#around.file,
      samples: this.#stacked(),
      settings: this.#settings,
    });
  }

  #told(told: LearnNews): void {
    if (told.kind === "ready") {
      for (const order of this.#waiting ?? []) this.#worker?.postMessage(order);
      this.#waiting = undefined;
    } else if (told.kind === "begun") {
      this.#status.textContent = `Learning, ${told.steps} steps.`;
      Object.assign(this.#progress, { max: told.steps, value: 0, hidden: false });
      this.#curve.hidden = false;
    } else if (told.kind === "step") {
      this.#progress.value = told.step;
      this.#losses.push(told.loss);
      drawLine(this.#curve, this.#losses, [0, Math.max(...this.#losses)]);
    } else if (told.kind === "answered") {
      this.#answers.get(told.id)?.(told.outputs);
      this.#answers.delete(told.id);
    } else if (told.kind === "saved") download("samples.npz", told.npz);
    else if (told.kind === "failed") this.#fail(told.message);
    else this.#learned(told);
  }

  #fail(message: string): void {
    for (const answer of this.#answers.values()) answer(undefined);
    this.#answers.clear();
    this.#status.textContent =
      message === "stopped" ? "Stopped. The model is as it was." : `It did not learn: ${message}`;
    this.#show(false);
  }

  #learned({ artifact, delta, before, after, best, notes }: LearnNews & { readonly kind: "learned" }): void {
    const [first = 0, last = 0] = [this.#losses[0], this.#losses.at(-1)];
    this.#curve.ariaLabel = `Loss over ${this.#losses.length} steps, from ${first.toFixed(3)} to ${last.toFixed(3)}`;
    this.#status.textContent =
      best === 0
        ? "It learned nothing that is better on the samples put aside: the model is as it was."
        : `Learned. Loss ${first.toFixed(3)} → ${last.toFixed(3)}. The answer above has both models side by side.`;
    this.#isTuned = best !== 0;
    const name = this.#around.file.replace(/\.octette$/, "");
    const { train, epochs, batch, lr, validation, seed } = this.#settings;
    const command = `octette tune ${this.#around.file} --data samples.npz --train ${train} --epochs ${epochs} --batch ${batch} --lr ${lr} --validation ${validation} --seed ${seed} -o ${name}-tuned.octette`;
    const row = (whose: string, { right, of }: Score) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, whose),
        make("td", { className: "number" }, `${right} of ${of}`),
        make("td", { className: "number" }, `${((100 * right) / of).toFixed(1)} %`),
      );
    this.#result.replaceChildren(
      ...notes.map((note) => make("p", { className: "note" }, note)),
      make(
        "table",
        { className: "numbers" },
        make("caption", {}, "Kept samples that it gets right"),
        make("tbody", {}, row("before", before), row("after", after)),
      ),
      make(
        "div",
        { className: "row" },
        button(`Download ${name}-tuned.octette`, () => download(`${name}-tuned.octette`, artifact)),
        button(`Download ${name}.delta`, () => download(`${name}.delta`, delta)),
      ),
      make("p", { className: "note" }, "The same model by the command line, from the downloaded samples:"),
      make("pre", { tabIndex: 0 }, command),
    );
    this.#show(false);
    this.#around.changed();
  }
}
