// What a run costs: warm latency, memory, and which kernels this engine runs.

import { formatBytes } from "../../bytes";
import type { Feeds, Into } from "../../engine/feeds";
import type { Model } from "../../engine/model";
import { allocate } from "../../graph/tensor";
import { make } from "./dom";

/** Least milliseconds of one measurement: a page's clock has steps of up to 0.1 ms. */
const LEAST = 4;
/** Measurements whose median is shown, and most milliseconds that they may take together. */
const [MEASURED, MOST] = [9, 120];

export class Facts {
  readonly element: HTMLElement;
  readonly #model: Model;
  readonly #latency = make("dd", {}, "…");
  readonly #cold = make("dd", {}, "…");
  readonly #threads = make("dd");
  readonly #threadsNote = make("dd", { className: "note" });
  #times: number[] = [];
  /** Runs of one measurement. */
  #runs = 1;

  constructor(model: Model, loadTime: number) {
    this.#model = model;
    const { engineClass, reason } = model.engine;
    const fact = (name: string, value: HTMLElement | string, note = "") =>
      make(
        "div",
        {},
        make("dt", {}, name),
        value instanceof HTMLElement ? value : make("dd", {}, value),
        ...(note ? [make("dd", { className: "note" }, note)] : []),
      );
    this.element = make(
      "dl",
      { className: "facts" },
      fact("A run, warm", this.#latency, "median of the last runs"),
      fact("The first run", this.#cold, `after ${formatTime(loadTime)} to load`),
      fact("Memory", formatBytes(model.bytes), "weights and activations, in wasm"),
      fact("Kernels", engineClass, reason),
      make("div", {}, make("dt", {}, "Threads"), this.#threads, this.#threadsNote),
    );
    this.#tellThreads();
  }

  /** Workers start while the model runs on one thread. */
  #tellThreads(): void {
    const { threads, threadsReason } = this.#model.engine;
    this.#threads.textContent = `${threads}`;
    this.#threadsNote.textContent = threadsReason;
  }

  /** Tells how long the first run took. */
  first(milliseconds: number): void {
    this.#cold.textContent = formatTime(milliseconds);
  }

  /** Measures these feeds, when the page has nothing else to do. */
  measure(feeds: Feeds, into: Into): void {
    this.#tellThreads();
    const begin = performance.now();
    this.#times = [];
    while (this.#times.length < MEASURED && performance.now() - begin < MOST) {
      const from = performance.now();
      for (let run = 0; run < this.#runs; run++) this.#model.runSync(feeds, into);
      const time = performance.now() - from;
      if (time < LEAST) this.#runs *= 2;
      else this.#times.push(time / this.#runs);
    }
    const sorted = this.#times.toSorted((a, b) => a - b);
    if (sorted.length > 0) this.#latency.textContent = formatTime(sorted[sorted.length >> 1]!);
  }
}

/** Arrays that take the outputs of runs like one that was done. */
export const arraysFor = (outputs: Awaited<ReturnType<Model["run"]>>): Into =>
  Object.fromEntries(
    Object.entries(outputs).map(([name, { dtype, data }]) => [name, allocate(dtype, data.length)]),
  );

export const formatTime = (milliseconds: number): string =>
  milliseconds < 1
    ? `${Number((1000 * milliseconds).toPrecision(3))} µs`
    : `${Number(milliseconds.toPrecision(3))} ms`;
