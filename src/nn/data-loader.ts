// Samples with labels in batches, as the training loop takes them.

import { shuffled } from "../data/sampling";
import { OctetteError } from "../errors";
import { Random } from "../graph/random";
import { sizeOf, type Tensor } from "../graph/tensor";
import { checkOptions, type Names } from "../options";
import { checkCount } from "./initial";

/** Samples [count, …] and one label for each. The arrays are kept, not copied. */
export interface Samples {
  readonly inputs: Tensor;
  readonly labels: ArrayLike<number>;
}

/** Options of a DataLoader. */
export interface DataLoaderOptions {
  /** Samples of a batch (PyTorch's batch_size); default 1. */
  readonly batchSize?: number;
  /** Another order in every epoch; the same ones for the same seed. Default false. */
  readonly shuffle?: boolean;
  /** Seed of the order; default 0. */
  readonly seed?: number;
}

const DATA_LOADER = { batchSize: 1, shuffle: 1, seed: 1 } satisfies Names<DataLoaderOptions>;

/** Iterated once an epoch: gives `[inputs, labels]`, the last batch as small as it is. */
export class DataLoader implements Iterable<[inputs: Tensor, labels: Int32Array]> {
  readonly #samples: Samples;
  readonly #batchSize: number;
  readonly #random: Random | undefined;

  constructor(samples: Samples, options: DataLoaderOptions = {}) {
    checkOptions("DataLoader", options, DATA_LOADER);
    const { batchSize = 1, shuffle = false, seed = 0 } = options;
    const { inputs, labels } = samples;
    checkCount("DataLoader", { batchSize });
    if (inputs.shape[0] !== labels.length)
      throw new OctetteError("the numbers of labels and samples differ", {
        code: "argument",
        where: "DataLoader",
        expected: `${inputs.shape[0]} labels`,
        got: `${labels.length}`,
      });
    this.#samples = samples;
    this.#batchSize = batchSize;
    this.#random = shuffle ? new Random(seed) : undefined;
  }

  /** Batches of an epoch. */
  get length(): number {
    return Math.ceil(this.#samples.labels.length / this.#batchSize);
  }

  /** Batches in their order, or shuffled anew each time. */
  *[Symbol.iterator](): Generator<[inputs: Tensor, labels: Int32Array]> {
    const { inputs, labels } = this.#samples;
    const count = labels.length;
    const order = this.#random
      ? shuffled(count, this.#random)
      : Int32Array.from({ length: count }, (_, i) => i);
    for (let at = 0; at < count; at += this.#batchSize) {
      const rows = order.subarray(at, at + this.#batchSize);
      yield [pick(inputs, rows), rows.map((row) => labels[row]!)];
    }
  }
}

/** The samples at these places. */
function pick({ dtype, shape, data }: Tensor, rows: Int32Array): Tensor {
  const rest = shape.slice(1);
  const size = sizeOf(rest);
  const picked = data.slice(0, rows.length * size);
  for (const [i, row] of rows.entries()) picked.set(data.subarray(row * size, (row + 1) * size), i * size);
  return { dtype, shape: [rows.length, ...rest], data: picked };
}
