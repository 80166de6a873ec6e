// How the answers of a classifier fall on the classes: right ones of each class, and which classes are taken for which.

/** Answers of one class. */
export interface ClassAccuracy {
  /** Index of the class. */
  readonly label: number;
  /** Samples of it. */
  readonly n: number;
  /** Per cent of them whose largest output is that of the class. */
  readonly top1: number;
}

/** Samples of one class that were taken for another. */
export interface Confusion {
  readonly label: number;
  /** Index of the class with the largest output; −1 where all outputs are NaN. */
  readonly chosen: number;
  readonly n: number;
}

/** Places of the label among the largest outputs that still count for top-5. */
const TOP = 5;

/** Counts answers, sample by sample. */
export class ClassCounts {
  /** By label, then by chosen class. */
  readonly #counts = new Map<number, Map<number, number>>();
  #inTop = 0;
  #n = 0;

  /** Adds the scores from `start` on, of `width` classes. */
  add(scores: ArrayLike<number>, start: number, width: number, chosen: number, label: number): void {
    const row = this.#counts.get(label) ?? new Map<number, number>();
    this.#counts.set(label, row.set(chosen, (row.get(chosen) ?? 0) + 1));
    this.#n++;
    const own = scores[start + label]!;
    let above = 0;
    for (let i = 0; i < width && above < TOP; i++) {
      const score = scores[start + i]!;
      // Of equals the first is chosen.
      if (score > own || (score === own && i < label)) above++;
    }
    if (above < TOP && !Number.isNaN(own)) this.#inTop++;
  }

  /** Per cent of samples whose label is among the five largest outputs. */
  get top5(): number {
    return (100 * this.#inTop) / this.#n;
  }

  /** Classes that there are samples of, in their order. */
  get byClass(): ClassAccuracy[] {
    return [...this.#counts]
      .map(([label, row]) => {
        const n = [...row.values()].reduce((sum, count) => sum + count, 0);
        return { label, n, top1: (100 * (row.get(label) ?? 0)) / n };
      })
      .sort((a, b) => a.label - b.label);
  }

  /** The most frequent ones first. */
  get confusions(): Confusion[] {
    return [...this.#counts]
      .flatMap(([label, row]) => [...row].map(([chosen, n]) => ({ label, chosen, n })))
      .filter(({ label, chosen }) => label !== chosen)
      .sort((a, b) => b.n - a.n || a.label - b.label || a.chosen - b.chosen);
  }
}

/** Errors of a model with one number as its answer. */
export class RegressionErrors {
  #n = 0;
  #squares = 0;
  #absolute = 0;

  add(answer: number, target: number): void {
    const error = answer - target;
    this.#n++;
    this.#squares += error * error;
    this.#absolute += Math.abs(error);
  }

  get meanSquaredError(): number {
    return this.#squares / this.#n;
  }

  get meanAbsoluteError(): number {
    return this.#absolute / this.#n;
  }
}

/** What answers are worth beside labels: of classes, or of one number. */
export class Answers {
  readonly classes = new ClassCounts();
  readonly #errors = new RegressionErrors();
  #widest = 0;

  /** A `width` of 0 is an answer that has a class and no scores. */
  add(data: ArrayLike<number>, start: number, width: number, chosen: number, label: number): void {
    this.#widest = Math.max(this.#widest, width);
    if (width !== 1) this.classes.add(data, start, width, chosen, label);
    else this.#errors.add(data[start]!, label);
  }

  /** What is one number for all samples, where there are labels. */
  get found() {
    if (this.#widest > TOP) return { top5: this.classes.top5 };
    const { meanSquaredError, meanAbsoluteError } = this.#errors;
    return this.#widest === 1 ? { meanSquaredError, meanAbsoluteError } : {};
  }
}
