// Learning in the page: samples that are kept, what they are learned with, what became better, and files to take away.

import type { Feed } from "../../engine/feeds";
import type { Model } from "../../engine/model";
import { writeNpz } from "../../formats/write-npz";
import type { Tensor } from "../../graph/tensor";
import type { CallOptions } from "../../learner/workers";
import { button, choose, download, labelled, make, messageOf } from "./dom";
import {
  type LearnSettings,
  type PageLearned,
  PageLearner,
  type Score,
  type TunedFiles,
} from "./page-learner";
import { drawLine } from "./plot";
import { Samples, stacked } from "./samples";
import type { PageSettings } from "./settings";

/** Part of the samples that is put aside to choose the state that is kept, and fewest samples for it to hold one. */
const VALIDATION = 0.2;
const FEWEST = 1 / VALIDATION;
const SEED = 0;

const TRAINED = [
  ["all layers", "all"],
  ["the last layer", "last:1"],
  ["biases", "bias"],
] as const;

/** What the panel needs of the page around it. */
export interface PageAccess {
  readonly model: Model;
  readonly settings: PageSettings;
  /** What is shown to the model now, if anything. */
  read(): Readonly<Record<string, Feed>> | undefined;
  thumbnails(): readonly HTMLCanvasElement[];
  /** Another model answers from here on. */
  changed(): void;
}

export class LearnPanel {
  readonly element: HTMLElement;
  readonly #around: PageAccess;
  readonly #names: readonly string[];
  readonly #learner: PageLearner;
  readonly #samples: Samples;
  readonly #counts = make("p", { className: "note" });
  readonly #status = make("p", { role: "status" });
  readonly #progress = make("progress", { ariaLabel: "Steps", value: 0, hidden: true });
  readonly #curve = make("canvas", {
    ...{ className: "wave", width: 640, height: 120, hidden: true },
    ...{ role: "img", ariaLabel: "Loss, step by step" },
  });
  readonly #result = make("div");
  readonly #learn = button("Learn", () => this.#begin(), "main");
  readonly #stop = button("Stop", () => this.#controller?.abort());
  readonly #save = button("Download the samples", () => this.#download());
  readonly #clear = button("Remove all samples", () => this.#samples.clear());
  readonly #epochs = make("input", { type: "number", min: "1", value: "20" });
  readonly #batch = make("input", { type: "number", min: "1", value: "8" });
  readonly #lr = make("input", { type: "number", min: "0", step: "any", value: "0.001" });
  #trained: string = TRAINED[0][1];
  #label = 0;
  #losses: number[] = [];
  /** Stops what is being learned. */
  #controller: AbortController | undefined;

  constructor(around: PageAccess) {
    this.#around = around;
    const { model, settings } = around;
    const count = model.outputs[0]!.shape[1] as number;
    this.#names = model.classes ?? Array.from({ length: count }, (_, i) => `${i}`);
    this.#learner = new PageLearner(model, settings.model);
    this.#samples = new Samples(settings.hash, this.#names, () => this.#show());
    const label = choose(
      this.#names.map((name, i) => [name, i] as const),
      (chosen) => {
        this.#label = chosen;
      },
    );
    const trained = choose(TRAINED, (chosen) => {
      this.#trained = chosen;
    });
    const row = (...children: readonly HTMLElement[]) => make("div", { className: "row" }, ...children);
    this.element = make(
      "div",
      {},
      make(
        "p",
        {},
        "Show it something above, say what it is, and keep it. It learns from the samples that are kept here, and from nothing else: keep some of every class, or it forgets.",
      ),
      row(
        labelled("It is", label),
        button("Keep this sample", () => this.#keep()),
      ),
      this.#counts,
      this.#samples.element,
      make(
        "details",
        {},
        make("summary", {}, "How it learns"),
        row(
          labelled("Train", trained),
          labelled("Epochs", this.#epochs),
          labelled("Samples a step", this.#batch),
          labelled("Learning rate", this.#lr),
        ),
      ),
      row(this.#learn, this.#stop, this.#save, this.#clear),
      this.#progress,
      this.#curve,
      this.#status,
      this.#result,
    );
    this.#show();
  }

  /** What the tuned model answers, or undefined where there is none. */
  answer(feeds: Readonly<Record<string, Feed>>): Promise<Readonly<Record<string, Tensor>> | undefined> {
    return this.#learner.answer(feeds);
  }

  async #keep(): Promise<void> {
    const fed = this.#around.read();
    if (!fed) {
      this.#status.textContent = "There is nothing to keep yet: show it something first.";
      return;
    }
    const copies = Object.entries(fed).map(([input, feed]) => [input, { ...feed, data: feed.data.slice() }]);
    const pictures = this.#around
      .thumbnails()
      .map((canvas) => canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height));
    const label = this.#label;
    await this.#samples.add({ label, feeds: Object.fromEntries(copies), pictures });
    this.#status.textContent = `Kept: ${this.#names[label]}.`;
  }

  /** Shows how many samples there are, and what can be done with them. */
  #show(): void {
    const samples = this.#samples?.all ?? [];
    const { length } = samples;
    const classes = new Set(samples.map(({ label }) => label)).size;
    const missing = FEWEST - length;
    this.#counts.textContent =
      `${length} ${length === 1 ? "sample" : "samples"} of ${classes} ${classes === 1 ? "class" : "classes"}` +
      (missing > 0 ? `; ${missing} more to begin` : "");
    const isBusy = this.#controller !== undefined;
    this.#learn.disabled = isBusy || missing > 0;
    this.#stop.disabled = !isBusy;
    this.#save.disabled = this.#clear.disabled = length === 0;
  }

  #download(): void {
    try {
      const { arrays, labels } = stacked(this.#samples.all, this.#around.model.inputs);
      const classes = { dtype: "i32", shape: [labels.length], data: labels } as const;
      download("samples.npz", writeNpz(new Map([...arrays, ["labels", classes]])));
    } catch (error) {
      this.#status.textContent = `The samples cannot be downloaded: ${messageOf(error)}`;
    }
  }

  async #begin(): Promise<void> {
    const settings: LearnSettings = {
      train: this.#trained,
      epochs: this.#epochs.valueAsNumber,
      batch: this.#batch.valueAsNumber,
      lr: this.#lr.valueAsNumber,
      seed: SEED,
    };
    this.#losses = [];
    this.#result.replaceChildren();
    this.#status.textContent = "Loading what it takes to learn.";
    const { signal } = (this.#controller = new AbortController());
    this.#show();
    try {
      const call = { signal, onEvent: this.#told };
      const validation = VALIDATION;
      this.#learned(await this.#learner.tune(this.#samples.all, { ...settings, validation }, call), settings);
    } catch (error) {
      this.#status.textContent = signal.aborted
        ? "Stopped. The model is as it was."
        : `It did not learn: ${messageOf(error)}`;
    }
    this.#controller = undefined;
    this.#show();
  }

  /** How far it is. */
  readonly #told: NonNullable<CallOptions["onEvent"]> = (event, value) => {
    if (event === "onBegin") {
      const { steps } = value as { readonly steps: number };
      this.#status.textContent = `Learning, ${steps} steps.`;
      Object.assign(this.#progress, { max: steps, value: 0, hidden: false });
      this.#curve.hidden = false;
    } else {
      const { step, loss } = value as { readonly step: number; readonly loss: number };
      this.#progress.value = step;
      this.#losses.push(loss);
      drawLine(this.#curve, this.#losses, [0, Math.max(...this.#losses)]);
    }
  };

  #learned({ summary, tuned }: PageLearned, settings: LearnSettings): void {
    const [first = 0, last = 0] = [this.#losses[0], this.#losses.at(-1)];
    this.#curve.ariaLabel = `Loss over ${this.#losses.length} steps, from ${first.toFixed(3)} to ${last.toFixed(3)}`;
    this.#status.textContent = tuned
      ? `Learned. Loss ${first.toFixed(3)} → ${last.toFixed(3)}. The answer above has both models side by side.`
      : "It learned nothing that is better on the samples put aside: the model is as it was.";
    const notes = [...summary.notes, ...summary.warnings];
    this.#result.replaceChildren(
      ...notes.map((note) => make("p", { className: "note" }, note)),
      ...(tuned ? this.#filesOf(tuned, settings) : []),
    );
    if (tuned) this.#around.changed();
  }

  /** What became better, and what to take away. */
  #filesOf({ artifact, delta, before, after }: TunedFiles, settings: LearnSettings): readonly HTMLElement[] {
    const { model, isFloat } = this.#around.settings;
    const name = model.replace(/\.octette$/, "");
    const row = (whose: string, { right, of }: Score) =>
      make(
        "tr",
        {},
        make("th", { scope: "row" }, whose),
        make("td", { className: "number" }, `${right} of ${of}`),
        make("td", { className: "number" }, `${((100 * right) / of).toFixed(1)} %`),
      );
    return [
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
      make(
        "p",
        { className: "note" },
        `The same model by ${isFloat ? "JavaScript" : "the command line"}, from the downloaded samples:`,
      ),
      make("pre", {}, isFloat ? callOf(settings) : commandOf(model, name, settings)),
    ];
  }
}

const commandOf = (model: string, name: string, { train, epochs, batch, lr, seed }: LearnSettings) =>
  `octette tune ${model} --data samples.npz --train ${train} --epochs ${epochs} --batch ${batch} --lr ${lr} --validation ${VALIDATION} --seed ${seed} -o ${name}-tuned.octette`;

/** The command line quantizes a float model. */
function callOf(settings: LearnSettings): string {
  const options = Object.entries({ bits: "float", ...settings, validation: VALIDATION });
  const written = options.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ");
  return `const data = await openDataset("samples.npz", graph.inputs);
const tuned = await tune(graph, { data, ${written} });`;
}
