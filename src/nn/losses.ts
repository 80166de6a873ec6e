// Losses: each judges what a forward pass made, by the kernels that fine-tuning has in its own plan, and leads back from there.

import { Model } from "../engine/model";
import { OctetteError } from "../errors";
import { formatShape } from "../graph/symbols";
import { type Tensor, tensor } from "../graph/tensor";
import { judged, LABELS, TARGET, type LossTerm as Written } from "../train/step/losses";
import { training } from "../train/training";
import { engine } from "./engine";
import type { Output } from "./trainable";

/** How wrong the outputs of one forward pass are. */
export class Loss {
  readonly #value: number;
  readonly #outputs: Output;
  readonly #gradient: Tensor;

  /** @internal */
  constructor(value: number, outputs: Output, gradient: Tensor) {
    this.#value = value;
    this.#outputs = outputs;
    this.#gradient = gradient;
  }

  /** The loss itself, the mean over the batch. */
  item(): number {
    return this.#value;
  }

  /**
   * Runs the backward pass of the forward pass that was judged: adds to the gradients of what the optimizer moves.
   * @throws OctetteError that says what to call first.
   */
  backward(): void {
    const { leadBack } = this.#outputs;
    if (leadBack) return leadBack(this.#gradient);
    throw new OctetteError("these outputs have no backward pass", {
      code: "argument",
      where: "backward",
      expected: "outputs of model.forward() while training",
      hint: "Call model.train() before forward()",
    });
  }
}

/** Options of `crossEntropyLoss`. */
export interface CrossEntropyOptions {
  /** Part of a label's probability that all classes share, 0 to below 1; default 0. */
  readonly labelSmoothing?: number;
}

/** −ln softmax(outputs)[label], the mean over the batch: outputs are logits [batch, classes], labels one whole number each. */
export function crossEntropyLoss({ labelSmoothing = 0 }: CrossEntropyOptions = {}) {
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw new OctetteError("a number is out of range", {
      code: "argument",
      where: "crossEntropyLoss.labelSmoothing",
      expected: "0 to below 1",
      got: String(labelSmoothing),
    });
  const judge = new Judge({ kind: "crossEntropy", smoothing: labelSmoothing });
  return (outputs: Output, labels: ArrayLike<number>): Loss => {
    const [rows, classes] = outputs.shape as [number, number];
    if (outputs.shape.length !== 2 || labels.length !== rows)
      throw new OctetteError("outputs and labels do not fit", {
        code: "argument",
        where: "crossEntropyLoss",
        expected: "outputs [batch, classes] and one label for each row",
        got: `${formatShape(outputs.shape)} and ${labels.length} labels`,
      });
    const bad = Array.from(labels).findIndex(
      (label) => !(Number.isInteger(label) && label >= 0 && label < classes),
    );
    if (bad >= 0)
      throw new OctetteError("a label is outside the classes", {
        code: "argument",
        where: "crossEntropyLoss",
        expected: `0 to ${classes - 1}`,
        got: `${labels[bad]} at ${bad}`,
      });
    return judge.of(outputs, { [LABELS]: tensor("i32", [rows], labels) });
  };
}

/** (outputs − targets)², the mean over all elements. */
export function mseLoss() {
  const judge = new Judge({ kind: "meanSquare" });
  return (outputs: Output, targets: Tensor | Float32Array): Loss => judge.of(outputs, { [TARGET]: targets });
}

const OUTPUTS = "outputs";

/** A loss as a graph of its own, compiled for outputs of one shape and as many rows as there were at most. */
class Judge {
  readonly #loss: Written;
  #model: Model | undefined;
  #shape = "";
  #rows = 0;

  constructor(loss: Written) {
    this.#loss = loss;
  }

  of(outputs: Output, target: Readonly<Record<string, Tensor | Float32Array>>): Loss {
    const { dtype, shape, data } = outputs;
    const model = this.#for(shape);
    const made = model.runSync({ [OUTPUTS]: { dtype, shape, data }, ...target });
    const [total, gradient] = model.outputs.map(({ name }) => made[name]!) as [Tensor, Tensor];
    return new Loss(total.data[0]!, outputs, gradient);
  }

  #for([rows = 1, ...rest]: readonly number[]): Model {
    const shape = formatShape(rest);
    if (this.#model && shape === this.#shape && rows <= this.#rows) return this.#model;
    this.#model?.dispose();
    const input = { name: OUTPUTS, dtype: "f32", shape: ["batch", ...rest] } as const;
    const bare = {
      name: "loss",
      inputs: [input],
      outputs: [OUTPUTS],
      nodes: [],
      constants: new Map(),
      provenance: {},
    };
    const { inputs, nodes, outputs, seeds } = judged(bare, new Map([[OUTPUTS, input]]), [this.#loss]);
    const graph = { ...bare, inputs: [input, ...inputs], nodes, outputs: [outputs[0]!, seeds[0]![1]] };
    this.#model = new Model(graph, training.ops, engine, { maxima: { batch: rows } });
    this.#shape = shape;
    this.#rows = rows;
    return this.#model;
  }
}
