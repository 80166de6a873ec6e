// Activations, LayerNorm, what only changes shape, and what marks a place and computes nothing; and sums of two values.

import type { Attribute } from "../graph/graph";
import { formatShape } from "../graph/symbols";
import type { Tensor } from "../graph/tensor";
import { checkOptions } from "../options";
import { checkCount, EPS, filled, NORM, type NormOptions } from "./initial";
import { Layer, Module } from "./module";
import { layerError, type Value } from "./value";

/** A layer that is one op over one value. */
export abstract class Unary extends Layer {
  /** @internal */
  protected abstract readonly op: string;
  /** @internal */
  protected readonly attributes: Readonly<Record<string, Attribute>> = {};

  forward(x: Value): Value {
    return this.record(x, this.op, [x], this.attributes);
  }
}

/** max(0, x) */
export class ReLU extends Unary {
  /** @internal */
  protected readonly op = "Relu";
}

/** min(6, max(0, x)) */
export class ReLU6 extends Unary {
  /** @internal */
  protected readonly op = "Clip";
  /** @internal */
  protected override readonly attributes = { min: 0, max: 6 };
}

/** x / (1 + e^−x) */
export class SiLU extends Unary {
  /** @internal */
  protected readonly op = "Silu";
}

/** 1 / (1 + e^−x) */
export class Sigmoid extends Unary {
  /** @internal */
  protected readonly op = "Sigmoid";
}

/** (e^x − e^−x) / (e^x + e^−x) */
export class Tanh extends Unary {
  /** @internal */
  protected readonly op = "Tanh";
}

/** x · Φ(x), Φ the distribution function of the normal distribution. */
export class GELU extends Unary {
  /** @internal */
  protected readonly op = "Gelu";
}

/** e^x / Σ e^x over the last dimension. Leave it out before a loss: crossEntropyLoss takes logits. */
export class Softmax extends Unary {
  /** @internal */
  protected readonly op = "Softmax";
}

/** [batch, …] becomes [batch, all the rest]. */
export class Flatten extends Unary {
  /** @internal */
  protected readonly op = "Flatten";
  /** @internal */
  protected override readonly attributes = { axis: 1 };
}

/**
 * Zeroes elements at random with probability p while training, and divides the others by 1 − p; x itself when the model is
 * evaluated, deployed or calibrated. What is dropped depends on the seed that `trainable`, `quantizeDynamic` or `prepareQat` was
 * given and on the number of the forward pass, so that a run can be repeated, on any engine. (Srivastava et al. 2014.)
 */
export class Dropout extends Layer {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1))
      throw layerError("Dropout", "p must be a probability", { expected: "0 to 1", got: String(p) });
    this.p = p;
  }

  forward(x: Value): Value {
    return this.record(x, "Dropout", [x], { ratio: this.p });
  }
}

/** (x − mean) / √(variance + eps) · weight + bias over the last dimensions, which are `normalizedShape`. */
export class LayerNorm extends Layer {
  readonly normalizedShape: readonly number[];
  readonly eps: number;

  constructor(normalizedShape: number | readonly number[], options: NormOptions = {}) {
    super();
    checkOptions("LayerNorm", options, NORM);
    this.normalizedShape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    for (const size of this.normalizedShape) checkCount("LayerNorm", { normalizedShape: size });
    this.eps = options.eps ?? EPS;
  }

  /** @internal */
  protected override fresh(): Record<string, Tensor> {
    return { weight: filled(this.normalizedShape, 1), bias: filled(this.normalizedShape, 0) };
  }

  forward(x: Value): Value {
    const { normalizedShape, eps } = this;
    const axis = -normalizedShape.length;
    const last = x.shape.slice(axis);
    if (x.shape.length <= normalizedShape.length || formatShape(last) !== formatShape(normalizedShape))
      throw layerError(this.path(x), "its input does not fit", {
        expected: `[batch, …, ${normalizedShape.join(", ")}]`,
        got: formatShape(x.shape),
      });
    return this.record(x, "LayerNormalization", [x, "weight", "bias"], { axis, epsilon: eps });
  }
}

/** Where PyTorch begins to quantize: x itself. Here the quantizer finds the place. */
export class QuantStub extends Module {
  forward(x: Value): Value {
    return x;
  }
}

/** Where PyTorch's integers end: x itself. Here the quantizer finds the place. */
export class DeQuantStub extends QuantStub {}

/** One module after the other; their weights are named "0.weight", "1.weight" and so on. */
export class Sequential extends Module {
  readonly #modules: readonly Module[];

  constructor(...modules: readonly Module[]) {
    super();
    this.#modules = modules;
  }

  override children(): [string, Module][] {
    return this.#modules.map((module, i) => [String(i), module]);
  }

  forward(x: Value): Value {
    return this.#modules.reduce((value, module) => module.forward(value), x);
  }
}

/** x + y, of shapes that broadcast: a residual connection. */
export const add = (x: Value, y: Value): Value => x.recording.node("Add", "add", [x, y], {});

/** x · y, element by element, of shapes that broadcast: a gate. */
export const mul = (x: Value, y: Value): Value => x.recording.node("Mul", "mul", [x, y], {});

/** Values joined along a dimension, by default the channels. */
export const cat = (values: readonly [Value, ...Value[]], dim = 1): Value =>
  values[0].recording.node("Concat", "cat", values, { axis: dim });
