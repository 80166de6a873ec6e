// Layers over vectors.

import type { Random } from "../graph/random";
import { formatShape } from "../graph/symbols";
import type { Tensor } from "../graph/tensor";
import { checkOptions, type Names } from "../options";
import { checkCount, uniform } from "./initial";
import { Layer } from "./module";
import { layerError, type Value } from "./value";

/** Options of a Linear layer. */
export interface LinearOptions {
  /** Whether it adds a bias; default true. */
  readonly bias?: boolean;
}

const LINEAR = { bias: 1 } satisfies Names<LinearOptions>;

/** y = x·Wᵀ + b over the last dimension: x [batch, …, inFeatures], y [batch, …, outFeatures]. */
export class Linear extends Layer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly #hasBias: boolean;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    checkOptions("Linear", options, LINEAR);
    checkCount("Linear", { inFeatures, outFeatures });
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.#hasBias = options.bias ?? true;
  }

  /** @internal */
  protected override fresh(random: Random): Record<string, Tensor> {
    const bound = 1 / Math.sqrt(this.inFeatures);
    const weight = uniform(random, [this.outFeatures, this.inFeatures], bound);
    return this.#hasBias ? { weight, bias: uniform(random, [this.outFeatures], bound) } : { weight };
  }

  forward(x: Value): Value {
    const { inFeatures } = this;
    x.recording.expect(x, { dtype: "f32", shape: ["batch", inFeatures] });
    const { shape } = x;
    if (shape.length < 2 || shape.at(-1) !== inFeatures)
      throw layerError(this.path(x), "its input does not fit", {
        expected: `[batch, …, ${inFeatures}]`,
        got: formatShape(shape),
      });
    const operands = this.#hasBias ? ["weight", "bias"] : ["weight"];
    return this.record(x, "Linear", [x, ...operands]);
  }
}

/** y = weight[x]: whole numbers x [batch, …] in 0 … numEmbeddings − 1, y [batch, …, embeddingDim]. */
export class Embedding extends Layer {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;

  constructor(numEmbeddings: number, embeddingDim: number) {
    super();
    checkCount("Embedding", { numEmbeddings, embeddingDim });
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
  }

  /**
   * Mean 0 and variance 1 as PyTorch's, but uniform: a Gaussian needs functions that differ between engines.
   * @internal
   */
  protected override fresh(random: Random): Record<string, Tensor> {
    return { weight: uniform(random, [this.numEmbeddings, this.embeddingDim], Math.sqrt(3)) };
  }

  forward(x: Value): Value {
    const { recording } = x;
    recording.expect(x, { dtype: "i32", shape: ["batch"] });
    if (recording.typeOf(x).dtype !== "i32")
      throw layerError(this.path(x), "its input does not fit", {
        expected: "indices: the model's own input, which nothing else reads",
        got: "floats",
      });
    return this.record(x, "Gather", ["weight", x], { axis: 0 });
  }
}
