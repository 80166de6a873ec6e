// Layers over images [batch, channels, height, width].

import type { Random } from "../graph/random";
import type { Tensor } from "../graph/tensor";
import { checkOptions, type Names } from "../options";
import { checkCount, EPS, filled, NORM, type NormOptions, uniform } from "./initial";
import { Layer } from "./module";
import { checkRank, layerError, type Value } from "./value";

/** One number for both dimensions, or [height, width]. */
export type Size2d = number | readonly [height: number, width: number];

const both = (size: Size2d): [number, number] => (typeof size === "number" ? [size, size] : [...size]);
/** The same padding before and behind. */
const pads = (size: Size2d): number[] => [...both(size), ...both(size)];

const IMAGE = "[batch, channels, height, width]";

/** Options of a Conv2d, as in PyTorch. */
export interface Conv2dOptions {
  /** Elements from one window to the next; default 1. */
  readonly stride?: Size2d;
  /** Zeros on every side; default 0. */
  readonly padding?: Size2d;
  /** Elements from one number of a window to the next; default 1. */
  readonly dilation?: Size2d;
  /** Parts of the channels that do not see each other, default 1; `inChannels` makes it depthwise. */
  readonly groups?: number;
  /** Whether it adds a bias; default true. */
  readonly bias?: boolean;
}

const CONV2D = {
  stride: 1,
  padding: 1,
  dilation: 1,
  groups: 1,
  bias: 1,
} satisfies Names<Conv2dOptions>;

/** Convolution: x [batch, inChannels, h, w], y [batch, outChannels, h′, w′]. */
export class Conv2d extends Layer {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly [number, number];
  readonly #options: Required<Conv2dOptions>;

  constructor(inChannels: number, outChannels: number, kernelSize: Size2d, options: Conv2dOptions = {}) {
    super();
    checkOptions("Conv2d", options, CONV2D);
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true } = options;
    checkCount("Conv2d", { inChannels, outChannels, groups });
    for (const [name, size] of Object.entries({ kernelSize, stride, dilation }))
      for (const count of both(size)) checkCount("Conv2d", { [name]: count });
    for (const count of both(padding)) checkCount("Conv2d", { padding: count }, 0);
    if (inChannels % groups !== 0 || outChannels % groups !== 0)
      throw layerError("Conv2d", "its groups do not divide its channels", {
        expected: "the same channels in every group",
        got: `${inChannels} and ${outChannels} channels in ${groups} groups`,
      });
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = both(kernelSize);
    this.#options = { stride, padding, dilation, groups, bias };
  }

  /** @internal */
  protected override fresh(random: Random): Record<string, Tensor> {
    const { inChannels, outChannels, kernelSize } = this;
    const [inputs, [h, w]] = [inChannels / this.#options.groups, kernelSize];
    const bound = 1 / Math.sqrt(inputs * h * w);
    const weight = uniform(random, [outChannels, inputs, h, w], bound);
    return this.#options.bias ? { weight, bias: uniform(random, [outChannels], bound) } : { weight };
  }

  forward(x: Value): Value {
    checkRank(this.path(x), x, 4, `[batch, ${this.inChannels}, height, width]`);
    const { stride, padding, dilation, groups, bias } = this.#options;
    return this.record(x, "Conv", bias ? [x, "weight", "bias"] : [x, "weight"], {
      strides: both(stride),
      pads: pads(padding),
      dilations: both(dilation),
      group: groups,
    });
  }
}

/**
 * (x − mean) / √(variance + eps) · weight + bias, a channel, with the running statistics that were loaded: they and the factors are
 * folded into the layer before or behind. They are frozen: training moves what they were folded into, not them.
 */
export class BatchNorm2d extends Layer {
  readonly numFeatures: number;
  readonly eps: number;

  constructor(numFeatures: number, options: NormOptions = {}) {
    super();
    checkOptions("BatchNorm2d", options, NORM);
    checkCount("BatchNorm2d", { numFeatures });
    this.numFeatures = numFeatures;
    this.eps = options.eps ?? EPS;
  }

  /** @internal */
  protected override fresh(): Record<string, Tensor> {
    const shape = [this.numFeatures];
    const [one, zero] = [1, 0].map((value) => () => filled(shape, value)) as [() => Tensor, () => Tensor];
    return { weight: one(), bias: zero(), running_mean: zero(), running_var: one() };
  }

  forward(x: Value): Value {
    const { numFeatures, eps } = this;
    checkRank(this.path(x), x, 4, `[batch, ${numFeatures}, height, width]`);
    if (x.shape[1] !== numFeatures)
      throw layerError(this.path(x), "its input has other channels", {
        expected: `${numFeatures}`,
        got: `${x.shape[1]}`,
      });
    const operands = [x, "weight", "bias", "running_mean", "running_var"];
    return this.record(x, "BatchNormalization", operands, { epsilon: eps });
  }
}

/** Options of a pooling. */
export interface PoolOptions {
  /** Elements from one window to the next; default the size of the window. */
  readonly stride?: Size2d;
  /** Elements on every side; default 0. */
  readonly padding?: Size2d;
}

const POOL = { stride: 1, padding: 1 } satisfies Names<PoolOptions>;

/** A pooling by windows. */
export abstract class Pool2d extends Layer {
  readonly kernelSize: readonly [number, number];
  readonly #stride: Size2d;
  readonly #padding: Size2d;

  constructor(kernelSize: Size2d, options: PoolOptions = {}) {
    super();
    checkOptions(this.constructor.name, options, POOL);
    const { stride = kernelSize, padding = 0 } = options;
    for (const [name, size] of Object.entries({ kernelSize, stride }))
      for (const count of both(size)) checkCount(this.constructor.name, { [name]: count });
    for (const count of both(padding)) checkCount(this.constructor.name, { padding: count }, 0);
    this.kernelSize = both(kernelSize);
    this.#stride = stride;
    this.#padding = padding;
  }

  /** @internal */
  protected pooled(x: Value, op: string, more: Readonly<Record<string, number>> = {}): Value {
    checkRank(this.path(x), x, 4, IMAGE);
    const window = { kernel_shape: this.kernelSize, strides: both(this.#stride), pads: pads(this.#padding) };
    return this.record(x, op, [x], { ...window, ...more });
  }
}

/** The largest of every window; padding is ignored. */
export class MaxPool2d extends Pool2d {
  forward(x: Value): Value {
    return this.pooled(x, "MaxPool");
  }
}

/** The mean of every window; zeros of the padding count, as they do in PyTorch. */
export class AvgPool2d extends Pool2d {
  forward(x: Value): Value {
    return this.pooled(x, "AveragePool", { count_include_pad: 1 });
  }
}

/** The mean of the whole image, [batch, channels, 1, 1]: PyTorch's AdaptiveAvgPool2d(1), which has no other size here. */
export class AdaptiveAvgPool2d extends Layer {
  constructor(outputSize: Size2d) {
    super();
    if (both(outputSize).some((size) => size !== 1))
      throw layerError("AdaptiveAvgPool2d", "only the mean of the whole image has a kernel", {
        expected: "outputSize 1",
        got: String(outputSize),
      });
  }

  forward(x: Value): Value {
    checkRank(this.path(x), x, 4, IMAGE);
    return this.record(x, "GlobalAveragePool", [x]);
  }
}
