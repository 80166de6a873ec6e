// Samples for a model, in batches: what calibration, evaluation and (later) training read. A data set knows how
// many samples it has and may have one label for each.

import type { Feeds } from "../engine/feeds";
import { OctetteError } from "../errors";
import type { Input, Preprocessing } from "../graph/graph";
import { checkTensor, type Tensor } from "../graph/tensor";
import { checkOptions, type Names } from "../options";
import { type Column, fitColumn, readColumn } from "./columns";
import { readLabels } from "./labels";
import { numbered } from "./names";
import type { PackedDataset } from "./packed";
import { rowsOf, type SampleRows } from "./sample-rows";
import { sampleIndices } from "./sampling";

/** Samples as a model's inputs want them, in batches. */
export interface Dataset {
  readonly count: number;
  /** Class of each sample. */
  readonly labels?: Int32Array;
  /** In place of `labels` where they are not all whole: the number to find for each sample, for `evaluate` and a model with one output number. */
  readonly targets?: Float32Array;
  /** Name of each class, where the data have names: label 0 is the first. */
  readonly classes?: readonly string[];
  /**
   * By input: how its numbers become the model's own, of bytes alone or, where the data are others, of any numbers. Belongs into
   * the artifact: see `withPreprocessing`.
   */
  readonly preprocessing: Readonly<Record<string, Preprocessing>>;
  /** What was assumed while opening it, for people to read. */
  readonly notes: readonly string[];
  /** Feeds of `size` samples, fewer in the last; the model's own batch where it fixes one. Can be read again. */
  batches(size: number): Iterable<Feeds>;
  /** Feeds of the samples at these places, in this order. */
  at(rows: ArrayLike<number>): Feeds;
  /** The samples at these places. */
  pick(rows: ArrayLike<number>): Dataset;
  /**
   * The same samples, their labels the numbers of their names among these: `data.withClasses(model.classes)`. As it is where the data have no
   * names. Throws an OctetteError "argument" for a name that is not among them.
   */
  withClasses(classes: readonly string[]): Dataset;
  /** The first `n` samples. */
  take(n: number): Dataset;
  /**
   * `n` different samples picked by a seed, in the order they have here; all when there are fewer. Where the model
   * fixes its batch, as many as fill whole batches.
   */
  sample(n: number, seed: number): Dataset;
  /**
   * Copies of all samples as plain data.
   * @internal
   */
  pack?(): PackedDataset;
}

/** Options of `createDataset`. */
export interface DatasetOptions {
  /** How numbers of the data become the model's, whatever their type; default what the model's inputs carry, of bytes. */
  readonly normalize?: Preprocessing | undefined;
  /** The class of each sample, a whole number, or the number to find: then `targets` has them. Default: no labels. */
  readonly labels?: Tensor | undefined;
  /** Name of each class; default: the classes have none. */
  readonly classes?: readonly string[] | undefined;
  /** What errors call the source; default "data". */
  readonly where?: string;
  /** Whether whole numbers from 0 to 255 count as bytes, as from text, which has no types; default false. */
  readonly bytesAsNumbers?: boolean | undefined;
  /** What the `notes` of the data set say, for people to read; default none. */
  readonly notes?: readonly string[];
}

const DATASET = {
  normalize: 1,
  labels: 1,
  classes: 1,
  where: 1,
  bytesAsNumbers: 1,
  notes: 1,
} satisfies Names<DatasetOptions>;

/** A data set from arrays named like a model's inputs, [samples, …]. The arrays are kept, not copied. */
export function createDataset(
  arrays: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>,
  inputs: readonly Input[],
  options: DatasetOptions = {},
): Dataset {
  checkOptions("createDataset", options, DATASET);
  const named = arrays instanceof Map ? arrays : new Map<string, Tensor>(Object.entries(arrays));
  const where = options.where ?? "data";
  for (const [name, data] of named) checkTensor(data, `${where}, array "${name}"`);
  return datasetOf(new Map([...named].map(([name, data]) => [name, rowsOf(data)])), inputs, options);
}

/** As createDataset, of samples that need not be in memory. */
export function datasetOf(
  named: ReadonlyMap<string, SampleRows>,
  inputs: readonly Input[],
  options: DatasetOptions,
): Dataset {
  const where = options.where ?? "data";
  const columns = inputs.map((input) => {
    const data = named.get(input.name);
    if (!data)
      throw new OctetteError(`has no array for the model's input "${input.name}"`, {
        code: "argument",
        where,
        expected: inputs.map((i) => `"${i.name}"`).join(", "),
        got: named.size === 0 ? "no arrays" : [...named.keys()].map((n) => `"${n}"`).join(", "),
        hint: "Name the arrays like the model's inputs (octette inspect lists them)",
      });
    return fitColumn(data, input, { ...options, where: `${where}, array "${input.name}"` });
  });
  if (columns.length === 0)
    throw new OctetteError("the model has no inputs", { code: "argument", where: "model" });
  const counts = new Map(columns.map((c) => [c.input, c.count]));
  const { classes } = options;
  const { labels, targets } = readLabels(options.labels, classes, where);
  const labelled = labels ?? targets;
  if (labelled) counts.set("labels", labelled.length);
  const count = columns[0]!.count;
  if ([...counts.values()].some((c) => c !== count))
    throw new OctetteError("arrays differ in their number of samples", {
      code: "argument",
      where,
      expected: `${count} in each`,
      got: [...counts].map(([name, c]) => `${c} in "${name}"`).join(", "),
      hint: "Samples come first in every array, as in an LSTM that is batch_first",
    });
  const { notes = [] } = options;
  return new Arrays(
    { columns, labels, targets, classes, where, notes },
    Int32Array.from({ length: count }, (_, i) => i),
  );
}

/** All that data sets of the same source share. */
export interface Contents {
  readonly columns: readonly Column[];
  readonly labels: Int32Array | undefined;
  readonly targets?: Float32Array | undefined;
  readonly classes: readonly string[] | undefined;
  readonly where: string;
  readonly notes: readonly string[];
}

/** Samples of columns, those at `rows`. */
export class Arrays implements Dataset {
  readonly labels?: Int32Array;
  readonly targets?: Float32Array;
  readonly classes?: readonly string[];
  readonly preprocessing: Readonly<Record<string, Preprocessing>>;
  readonly notes: readonly string[];
  readonly #contents: Contents;
  readonly #rows: Int32Array;

  constructor(contents: Contents, rows: Int32Array) {
    const { columns, labels, targets, classes, notes } = contents;
    this.#contents = contents;
    this.#rows = rows;
    this.notes = notes;
    if (labels) this.labels = rows.map((row) => labels[row]!);
    if (targets) this.targets = Float32Array.from(rows, (row) => targets[row]!);
    if (classes) this.classes = classes;
    this.preprocessing = Object.fromEntries(
      columns.flatMap((c) => (c.preprocessing ? [[c.input, c.preprocessing]] : [])),
    );
  }

  get count(): number {
    return this.#rows.length;
  }

  *batches(size: number): Iterable<Feeds> {
    if (!Number.isInteger(size) || size < 1)
      throw new OctetteError("batch size does not fit", {
        code: "argument",
        where: this.#contents.where,
        expected: "a whole number from 1",
        got: `${size}`,
      });
    const fixed = this.#fixedBatch;
    if (fixed !== undefined && (fixed < 1 || this.count % fixed !== 0))
      throw new OctetteError(`the model runs exactly ${fixed} samples at a time`, {
        code: "argument",
        where: this.#contents.where,
        expected: `a multiple of ${fixed} samples`,
        got: `${this.count}`,
        hint: "Take fewer samples, or export the model with a dynamic batch",
      });
    const step = fixed ?? size;
    for (let start = 0; start < this.count; start += step) {
      const rows = this.#rows.subarray(start, start + step);
      yield Object.fromEntries(
        this.#contents.columns.map((column) => [column.input, readColumn(column, rows)]),
      );
    }
  }

  at(rows: ArrayLike<number>): Feeds {
    const own = Int32Array.from(rows, (row) => {
      if (row >= 0 && row < this.count) return this.#rows[row]!;
      throw new OctetteError("sample index out of range", {
        code: "argument",
        where: this.#contents.where,
        expected: `0 to ${this.count - 1}`,
        got: `${row}`,
      });
    });
    return Object.fromEntries(
      this.#contents.columns.map((column) => [column.input, readColumn(column, own)]),
    );
  }

  pick(rows: ArrayLike<number>): Dataset {
    return this.#select(Int32Array.from(rows, (row) => this.#rows[row]!));
  }

  withClasses(classes: readonly string[]): Dataset {
    const { labels, classes: own, where } = this.#contents;
    if (!own || own.join("\n") === classes.join("\n")) return this;
    const numbers = numbered(own, classes, `${where}, classes`);
    const renumbered = labels?.map((label) => numbers[label]!);
    return new Arrays({ ...this.#contents, labels: renumbered, classes }, this.#rows);
  }

  take(n: number): Dataset {
    return this.#select(this.#rows.subarray(0, Math.max(0, n)));
  }

  sample(n: number, seed: number): Dataset {
    const most = Math.min(n, this.count);
    const whole = most - (most % (this.#fixedBatch || 1));
    return this.#select(sampleIndices(this.count, whole, seed).map((i) => this.#rows[i]!));
  }

  pack(): PackedDataset {
    return {
      columns: this.#contents.columns.map((column) => column.pack(this.#rows)),
      labels: this.labels?.slice(),
      classes: this.classes,
      where: this.#contents.where,
    };
  }

  get #fixedBatch(): number | undefined {
    return this.#contents.columns.find((c) => c.fixedBatch !== undefined)?.fixedBatch;
  }

  #select(rows: Int32Array): Dataset {
    return new Arrays(this.#contents, rows);
  }
}
