// Samples that come one after the other: the latest of them, and some of those before against forgetting. Bounded, the same for the same pushes
// and seed, and kept as bytes.

import { FormatError, OctetteError } from "../errors";
import { readSealed, type SealKind, writeSealed } from "../formats/seal";
import type { Input, Preprocessing } from "../graph/graph";
import { allocate, sizeOf, type Tensor, tensor } from "../graph/tensor";
import { until } from "../long-call";
import { checkOptions, type Names } from "../options";
import { createDataset, type Dataset } from "./dataset";
import { type KeptSample, largestClassOf, remember } from "./reservoir";
import { fittedSamples, type LabelledSamples, labelNumbers, type SampleFeeds } from "./sample-feeds";

const SAMPLES: SealKind = {
  format: "octette-samples",
  version: 1,
  noun: "octette file of samples",
  hint: "samples.save() makes one",
};

/** Options of `createSamples`. */
export interface SamplesOptions {
  /** Most of the latest samples that are kept; default 1024. */
  readonly capacity?: number | undefined;
  /** Most of the earlier ones that are kept beside them and trained on again, against forgetting; default a quarter of `capacity`. */
  readonly replay?: number | undefined;
  /**
   * Whether classes share the room: where it is full, the oldest sample of the largest class goes (default). `false`: the oldest sample of all
   * goes.
   */
  readonly balance?: boolean | undefined;
  /** Names of classes, by which samples may be labelled; default: labels are whole numbers. */
  readonly classes?: readonly string[] | undefined;
  /** How numbers become the model's, as for `createDataset`; default what the model's inputs carry. */
  readonly normalize?: Preprocessing | undefined;
  /** Seed of which earlier samples are kept; default 0. */
  readonly seed?: number | undefined;
}

const OPTIONS = {
  capacity: 1,
  replay: 1,
  balance: 1,
  classes: 1,
  normalize: 1,
  seed: 1,
} satisfies Names<SamplesOptions>;

const DEFAULT_CAPACITY = 1024;

/**
 * Samples for a model's inputs that come one after the other. `push` adds, `dataset()` gives those there are now to `tune`, `save` keeps
 * them.
 *
 *     const samples = createSamples(model.inputs, { capacity: 2000, classes: model.classes });
 *     samples.push({ image }, "seven");
 *     await learner.tune({ data: samples.dataset() });
 */
export function createSamples(inputs: readonly Input[], options: SamplesOptions = {}): SampleBuffer {
  checkOptions("createSamples", options, OPTIONS);
  return new SampleBuffer(inputs, options);
}

/** The samples that `samples.save()` wrote, for the same inputs and options. Throws FormatError where the bytes are damaged or of others. */
export function readSamples(
  bytes: Uint8Array,
  inputs: readonly Input[],
  options: SamplesOptions = {},
): SampleBuffer {
  const samples = createSamples(inputs, options);
  samples.restore(bytes);
  return samples;
}

/** Made by `createSamples`. */
export class SampleBuffer {
  readonly #inputs: readonly Input[];
  readonly #options: SamplesOptions;
  readonly #capacity: number;
  readonly #replay: number;
  readonly #seed: number;
  /** Elements of all slots by input, made by the first sample; tensors [slots, …]. */
  #arrays: Map<string, Tensor> | undefined;
  readonly #free: number[];
  /** In order of arrival. */
  #latest: KeptSample[] = [];
  #earlier: KeptSample[] = [];
  /** By class: how many have left the latest so far. */
  readonly #left = new Map<number, number>();
  #pushed = 0;

  /** @internal */
  constructor(inputs: readonly Input[], options: SamplesOptions) {
    const { capacity = DEFAULT_CAPACITY, replay = Math.floor(capacity / 4), seed = 0 } = options;
    for (const [name, value, least] of [
      ["capacity", capacity, 1],
      ["replay", replay, 0],
      ["seed", seed, 0],
    ] as const)
      if (!Number.isSafeInteger(value) || value < least)
        throw wrong(name, "an option does not fit", `a whole number from ${least}`, `${value}`);
    if (!Array.isArray(inputs) || inputs.length === 0)
      throw wrong("inputs", "must be those of a model", "model.inputs", typeof inputs);
    this.#inputs = inputs;
    this.#options = options;
    this.#capacity = capacity;
    this.#replay = replay;
    this.#seed = seed;
    this.#free = Array.from({ length: capacity + replay }, (_, i) => capacity + replay - 1 - i);
  }

  /** Samples that are here: the latest, and earlier ones. */
  get count(): number {
    return this.#latest.length + this.#earlier.length;
  }

  /** Samples that were ever pushed. */
  get pushed(): number {
    return this.#pushed;
  }

  /** How many are here of each class, by its number. */
  get counts(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const { label } of [...this.#latest, ...this.#earlier])
      counts.set(label, (counts.get(label) ?? 0) + 1);
    return counts;
  }

  /**
   * Adds one or more samples, copied. Throws an OctetteError where arrays do not fit the model's inputs or the samples before, or a label is no
   * class: then none of them is added.
   */
  push(feeds: SampleFeeds, label: LabelledSamples["label"]): void {
    const labels = labelNumbers(label, this.#options.classes);
    const arrays = this.#fitted(feeds, labels);
    this.#arrays ??= new Map(
      [...arrays].map(([name, { dtype, shape }]) => {
        const all = [this.#capacity + this.#replay, ...shape.slice(1)];
        return [name, { dtype, shape: all, data: allocate(dtype, sizeOf(all)) }];
      }),
    );
    for (const [row, label] of labels.entries()) {
      if (this.#latest.length === this.#capacity) this.#retire();
      const slot = this.#free.pop()!;
      for (const [name, { data }] of arrays) {
        const size = data.length / labels.length;
        this.#arrays.get(name)!.data.set(data.subarray(row * size, (row + 1) * size), slot * size);
      }
      this.#latest.push({ slot, label });
      this.#pushed++;
    }
  }

  /** Pushes samples as they come, until there are no more or the signal is aborted: then it throws the reason. */
  async pushAll(
    samples: Iterable<LabelledSamples> | AsyncIterable<LabelledSamples>,
    signal?: AbortSignal,
  ): Promise<void> {
    const all = Object(samples);
    if (!(Symbol.iterator in all || Symbol.asyncIterator in all))
      throw wrong("samples", "cannot be iterated", "an iterable of { feeds, label }", typeof samples);
    for await (const sample of until(samples, signal)) {
      const { feeds, label }: Partial<LabelledSamples> = Object(sample);
      this.push(feeds!, label!);
    }
  }

  /** The samples that are here now, earlier ones first, as a data set with labels: a copy, which later pushes leave alone. */
  dataset(): Dataset {
    const kept = [...this.#earlier, ...this.#latest];
    if (!this.#arrays) throw wrong("samples", "there are none", "at least one push", "none");
    const labels = tensor(
      "i32",
      [kept.length],
      kept.map(({ label }) => label),
    );
    return createDataset(this.#picked(kept), this.#inputs, {
      labels,
      classes: this.#options.classes,
      normalize: this.#options.normalize,
      where: "samples",
    });
  }

  /** Bytes of all that is here, for `readSamples`: what is pushed from there on ends in the same samples. */
  save(): Uint8Array<ArrayBuffer> {
    const kept = [...this.#earlier, ...this.#latest];
    const labels = kept.map(({ label }) => label);
    const left = [...this.#left].sort(([a], [b]) => a - b);
    const tensors = new Map([
      ...[...this.#picked(kept)].map(([name, tensor]) => [`input ${name}`, tensor] as const),
      ["labels", tensor("i32", [labels.length], labels)],
      ["left", tensor("i32", [left.length, 2], left.flat())],
    ] as const);
    return writeSealed(SAMPLES, tensors, {
      room: this.#room,
      earlier: `${this.#earlier.length}`,
      pushed: `${this.#pushed}`,
    });
  }

  /** @internal */
  restore(bytes: Uint8Array): void {
    const { tensors, metadata } = readSealed(bytes, SAMPLES, "samples");
    const damaged = (what: string, expected: string, got: string) =>
      new FormatError(what, { where: "samples", expected, got });
    if (metadata.room !== this.#room) throw damaged("are of other options", this.#room, `${metadata.room}`);
    const [earlier, pushed] = [Number(metadata.earlier), Number(metadata.pushed)];
    const labels = [...((tensors.get("labels")?.data as Int32Array) ?? [])];
    const latest = labels.length - earlier;
    const isSound =
      [earlier, pushed, latest].every((n) => Number.isSafeInteger(n) && n >= 0) &&
      earlier <= this.#replay &&
      latest <= this.#capacity &&
      pushed >= labels.length;
    if (!isSound) throw damaged("their numbers do not fit", "counts within their room", `${labels.length}`);
    const left = tensors.get("left")?.data ?? [];
    for (let i = 0; i < left.length; i += 2) this.#left.set(left[i]!, left[i + 1]!);
    if (labels.length > 0) {
      const feeds = Object.fromEntries(
        this.#inputs.map(({ name }) => {
          const array = tensors.get(`input ${name}`);
          if (array) return [name, array];
          throw damaged("hold no such input", `"${name}"`, [...tensors.keys()].join(", "));
        }),
      );
      // Places are given out as pushes do: earlier ones lie beyond the room of the latest as well as any.
      this.#restoreKept(feeds, labels, earlier);
    }
    this.#pushed = pushed;
  }

  #restoreKept(feeds: SampleFeeds, labels: readonly number[], earlier: number): void {
    const arrays = this.#fitted(feeds, labelNumbers(labels, this.#options.classes));
    this.#arrays = new Map(
      [...arrays].map(([name, { dtype, shape, data }]) => {
        const all = [this.#capacity + this.#replay, ...shape.slice(1)];
        const room = allocate(dtype, sizeOf(all));
        room.set(data);
        return [name, { dtype, shape: all, data: room }];
      }),
    );
    const kept = labels.map((label, slot) => ({ slot, label }));
    [this.#earlier, this.#latest] = [kept.slice(0, earlier), kept.slice(earlier)];
    this.#free.length -= labels.length;
  }

  /** What samples have their room by: bytes of others are refused. */
  get #room(): string {
    const { balance = true, classes = [] } = this.#options;
    return JSON.stringify([this.#capacity, this.#replay, balance, this.#seed, classes]);
  }

  /** Makes room: a sample leaves the latest, and may take the place of an earlier one. */
  #retire(): void {
    const { balance = true } = this.#options;
    const largest = balance ? largestClassOf(this.#latest) : undefined;
    const at = balance ? this.#latest.findIndex(({ label }) => label === largest) : 0;
    const [old] = this.#latest.splice(at, 1) as [KeptSample];
    const left = (this.#left.get(old.label) ?? 0) + 1;
    this.#left.set(old.label, left);
    const out = remember(this.#earlier, old, this.#left, {
      most: this.#replay,
      seed: this.#seed,
      balance,
    });
    if (out) this.#free.push(out.slot);
  }

  /** Copies of samples, [samples, …] by input. */
  #picked(kept: readonly KeptSample[]): Map<string, Tensor> {
    return new Map(
      [...(this.#arrays ?? [])].map(([name, { dtype, shape, data }]) => {
        const sample = shape.slice(1);
        const size = sizeOf(sample);
        const own = allocate(dtype, kept.length * size);
        for (const [i, { slot }] of kept.entries())
          own.set(data.subarray(slot * size, (slot + 1) * size), i * size);
        return [name, { dtype, shape: [kept.length, ...sample], data: own }];
      }),
    );
  }

  /** The arrays as tensors of so many samples, like those before. */
  #fitted(feeds: SampleFeeds, labels: readonly number[]): Map<string, Tensor> {
    return fittedSamples(feeds, labels, this.#inputs, this.#options, this.#arrays);
  }
}

const wrong = (where: string, what: string, expected: string, got: string) =>
  new OctetteError(what, { code: "argument", where, expected, got });
