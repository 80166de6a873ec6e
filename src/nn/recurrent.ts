// Recurrent layers over sequences, rows first.

import type { Random } from "../graph/random";
import { formatShape } from "../graph/symbols";
import type { Tensor } from "../graph/tensor";
import { checkOptions, type Names } from "../options";
import { checkCount, uniform } from "./initial";
import { Layer } from "./module";
import { layerError, type Value } from "./value";

/** Options of LSTM, GRU and RNN. */
export interface RecurrentOptions {
  /** Whether it adds biases; default true. */
  readonly bias?: boolean;
  /** Whether it goes over each sequence from both ends; default false. */
  readonly bidirectional?: boolean;
}

const RECURRENT = { bias: 1, bidirectional: 1 } satisfies Names<RecurrentOptions>;

/**
 * x [batch, steps, inputSize], y [batch, steps, hiddenSize], twice as wide where it is bidirectional: what PyTorch's layers make with `batch_first`. States begin
 * as zeros. Weights are ONNX's: weight_ih [directions, gates·hiddenSize, inputSize], weight_hh [directions, gates·hiddenSize, hiddenSize], bias
 * [directions, 2·gates·hiddenSize].
 */
export abstract class Recurrent extends Layer {
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** The op, and how many gates it has. */
  protected abstract readonly op: string;
  protected abstract readonly gates: number;
  readonly #directions: number;
  readonly #hasBias: boolean;

  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super();
    checkOptions("recurrent layer", options, RECURRENT);
    checkCount("recurrent layer", { inputSize, hiddenSize });
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.#directions = options.bidirectional ? 2 : 1;
    this.#hasBias = options.bias ?? true;
  }

  /** @internal */
  protected override fresh(random: Random): Record<string, Tensor> {
    const [n, bound] = [this.gates * this.hiddenSize, 1 / Math.sqrt(this.hiddenSize)];
    const weights = {
      weight_ih: uniform(random, [this.#directions, n, this.inputSize], bound),
      weight_hh: uniform(random, [this.#directions, n, this.hiddenSize], bound),
    };
    return this.#hasBias ? { ...weights, bias: uniform(random, [this.#directions, 2 * n], bound) } : weights;
  }

  /** What the op is told beside its sizes. */
  protected get own(): Readonly<Record<string, number>> {
    return {};
  }

  forward(x: Value): Value {
    const { inputSize, hiddenSize } = this;
    x.recording.expect(x, { dtype: "f32", shape: ["batch", "steps", inputSize] });
    const { shape } = x;
    if (shape.length !== 3 || shape[2] !== inputSize)
      throw layerError(this.path(x), "its input does not fit", {
        expected: `[batch, steps, ${inputSize}]`,
        got: formatShape(shape),
      });
    const operands = ["weight_ih", "weight_hh", ...(this.#hasBias ? ["bias"] : [])];
    const y = this.record(x, this.op, [x, ...operands], {
      hidden_size: hiddenSize,
      layout: 1,
      ...(this.#directions === 2 && { direction: "bidirectional" }),
      ...this.own,
    });
    const rows = [shape[0]!, shape[1]!, this.#directions * hiddenSize];
    return this.record(y, "Reshape", [y], { shape: rows, allowzero: 1 }, "_rows");
  }
}

/** Long short-term memory, as torch.nn.LSTM of one layer; gates in ONNX's order: input, output, forget, cell. */
export class LSTM extends Recurrent {
  protected readonly op = "LSTM";
  protected readonly gates = 4;
}

/** Gated recurrent units, as torch.nn.GRU of one layer; gates in ONNX's order: update, reset, new. */
export class GRU extends Recurrent {
  protected readonly op = "GRU";
  protected readonly gates = 3;
  protected override get own() {
    return { linear_before_reset: 1 };
  }
}

/** A layer without gates, as torch.nn.RNN of one layer with tanh. */
export class RNN extends Recurrent {
  protected readonly op = "RNN";
  protected readonly gates = 1;
}
