// Every layer, traced and run, against a plain loop in float64 over the weights of its state dict.

import { describe, expect, test } from "vitest";
import type { Shape } from "../../src/graph/symbols";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  add,
  BatchNorm2d,
  Conv2d,
  cat,
  DeQuantStub,
  Dropout,
  Embedding,
  Flatten,
  GELU,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  mul,
  QuantStub,
  ReLU,
  ReLU6,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
  Tanh,
  trace,
  type Value,
} from "../../src/nn/index";
import { withModel } from "../engine/engines";
import { randomOf } from "../graph-builder";
import { runReference } from "../reference/index";

const floats = (shape: readonly number[], bound = 2, seed = 1): Tensor => {
  const { between } = randomOf(seed);
  return tensor(
    "f32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => between(-bound, bound)),
  );
};

/** What the traced model makes of x, as the runtime and the reference have it. */
function run(model: Module, x: Tensor, shape: Shape = ["batch", ...x.shape.slice(1)]): Tensor {
  const graph = trace(model, shape);
  const { output } = withModel(graph, { maxima: { batch: 4 } }, (m) => m.runSync({ input: x }));
  close(output!.data, runReference(graph, { input: x }).get("output")!.data);
  return output!;
}

function close(got: ArrayLike<number>, want: ArrayLike<number>): void {
  expect(got.length).toBe(want.length);
  const largest = Array.from(want).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < want.length; i++)
    expect(Math.abs(got[i]! - want[i]!)).toBeLessThanOrEqual(1e-4 * largest + 1e-6);
}

const own = (model: Module) => (name: string) => model.stateDict().get(name)!.data;

/** y[i][o] = Σ x[i][k]·w[o][k] + b[o] over rows of `inputs` numbers. */
function linear(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  b: ArrayLike<number> | undefined,
  inputs: number,
) {
  const outputs = w.length / inputs;
  return Float64Array.from({ length: (x.length / inputs) * outputs }, (_, at) => {
    const [row, o] = [Math.floor(at / outputs), at % outputs];
    let sum = b?.[o] ?? 0;
    for (let k = 0; k < inputs; k++) sum += x[row * inputs + k]! * w[o * inputs + k]!;
    return sum;
  });
}

interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation?: readonly [number, number];
}

/** Calls `visit` with every output pixel and each place its window reads, outside of the image too. */
function windows(
  { shape }: Tensor,
  { kernel, stride, padding, dilation = [1, 1] }: Window,
  visit: (n: number, y: number, x: number, ky: number, kx: number, iy: number, ix: number) => void,
): readonly [number, number] {
  const [n, , h, w] = shape as [number, number, number, number];
  const out = (size: number, d: 0 | 1) =>
    Math.floor((size + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1;
  const [oh, ow] = [out(h, 0), out(w, 1)];
  for (let i = 0; i < n; i++)
    for (let y = 0; y < oh; y++)
      for (let x = 0; x < ow; x++)
        for (let ky = 0; ky < kernel[0]; ky++)
          for (let kx = 0; kx < kernel[1]; kx++)
            visit(
              i,
              y,
              x,
              ky,
              kx,
              y * stride[0] - padding[0] + ky * dilation[0],
              x * stride[1] - padding[1] + kx * dilation[1],
            );
  return [oh, ow];
}

/** The pixel of an image, undefined outside of it. */
const pixel = ({ shape, data }: Tensor, n: number, c: number, y: number, x: number): number | undefined => {
  const [, channels, h, w] = shape as [number, number, number, number];
  return y < 0 || x < 0 || y >= h || x >= w ? undefined : data[((n * channels + c) * h + y) * w + x];
};

describe("Linear", () => {
  test.each([
    [1, 1, 1],
    [3, 17, 4],
    [4, 3, 17],
  ])("%i rows, %i → %i", (rows, inputs, outputs) => {
    for (const bias of [true, false]) {
      const model = new Linear(inputs, outputs, { bias }).initialize(3);
      const x = floats([rows, inputs]);
      const numbers = own(model);
      const b = bias ? numbers("bias") : undefined;
      close(run(model, x).data, linear(x.data, numbers("weight"), b, inputs));
    }
  });

  test("over sequences", () => {
    const model = new Linear(5, 3);
    const x = floats([2, 4, 5]);
    const y = run(model, x);
    expect(y.shape).toEqual([2, 4, 3]);
    close(y.data, linear(x.data, own(model)("weight"), own(model)("bias"), 5));
  });

  test("tells the shape of the model's input", () => {
    expect(trace(new Linear(7, 2)).inputs).toEqual([{ name: "input", dtype: "f32", shape: ["batch", 7] }]);
  });
});

describe("Conv2d", () => {
  test.each([
    [{ channels: [1, 1], kernel: 1 }],
    [{ channels: [3, 5], kernel: [3, 2], stride: [2, 1], padding: [1, 2] }],
    [{ channels: [4, 8], kernel: 3, groups: 2, padding: 1, dilation: 2 }],
    [{ channels: [5, 5], kernel: 3, groups: 5, stride: 2 }],
    [{ channels: [17, 4], kernel: 1, bias: false }],
  ] as const)("%o", (options) => {
    const { channels, kernel, ...rest } = options as unknown as {
      channels: [number, number];
      kernel: number | [number, number];
      stride?: number | [number, number];
      padding?: number | [number, number];
      dilation?: number;
      groups?: number;
      bias?: boolean;
    };
    const [cin, cout] = channels;
    const model = new Conv2d(cin, cout, kernel, rest).initialize(5);
    const x = floats([2, cin, 7, 6]);
    const both = (size: number | readonly number[]) => [size, size].flat().slice(0, 2) as [number, number];
    const window = {
      kernel: both(kernel),
      stride: both(rest.stride ?? 1),
      padding: both(rest.padding ?? 0),
      dilation: both(rest.dilation ?? 1),
    };
    const groups = rest.groups ?? 1;
    const [perIn, perOut] = [cin / groups, cout / groups];
    const state = model.stateDict();
    const w = state.get("weight")!;
    const bias = state.get("bias")?.data;
    expect(bias === undefined).toBe(rest.bias === false);
    const [oh, ow] = windows(x, window, () => {});
    const want = new Float64Array(2 * cout * oh * ow);
    for (let o = 0; o < cout; o++) {
      for (let i = 0; i < 2; i++)
        want.fill(bias?.[o] ?? 0, (i * cout + o) * oh * ow, (i * cout + o + 1) * oh * ow);
      windows(x, window, (n, y, at, ky, kx, iy, ix) => {
        for (let c = 0; c < perIn; c++) {
          const channel = Math.floor(o / perOut) * perIn + c;
          const weight = w.data[((o * perIn + c) * window.kernel[0] + ky) * window.kernel[1] + kx]!;
          want[((n * cout + o) * oh + y) * ow + at]! += (pixel(x, n, channel, iy, ix) ?? 0) * weight;
        }
      });
    }
    const y = run(model, x);
    expect(y.shape).toEqual([2, cout, oh, ow]);
    close(y.data, want);
  });
});

test("BatchNorm2d uses its running statistics, folded or not", () => {
  const norm = new BatchNorm2d(3, { eps: 1e-3 });
  const state = new Map(
    ["weight", "bias", "running_mean", "running_var"].map((name, i) => [
      name,
      tensor(
        "f32",
        [3],
        floats([3], 1, i).data.map((v) => (name === "running_var" ? v * v + 0.5 : v)),
      ),
    ]),
  );
  norm.loadStateDict(state);
  const x = floats([2, 3, 4, 5]);
  const of = (name: string, c: number) => state.get(name)!.data[c]!;
  const normed = (data: ArrayLike<number>) =>
    Float64Array.from(data, (value, i) => {
      const c = Math.floor(i / 20) % 3;
      return (
        ((value - of("running_mean", c)) / Math.sqrt(of("running_var", c) + 1e-3)) * of("weight", c) +
        of("bias", c)
      );
    });
  close(run(norm, x).data, normed(x.data));
  const conv = new Conv2d(3, 3, 1, { bias: false });
  const folded = trace(new Sequential(conv, norm), ["batch", 3, 4, 5]);
  expect(folded.nodes.map(({ op }) => op)).toEqual(["Conv"]);
  close(run(new Sequential(conv, norm), x).data, normed(run(conv, x).data));
});

describe("poolings", () => {
  const x = floats([2, 3, 7, 6]);
  const window = { kernel: [3, 2], stride: [2, 1], padding: [1, 1] } as const;
  const pool = (start: number, join: (sum: number, value: number | undefined) => number) => {
    const [oh, ow] = windows(x, window, () => {});
    const want = new Float64Array(2 * 3 * oh * ow).fill(start);
    for (let c = 0; c < 3; c++)
      windows(x, window, (n, y, at, _, __, iy, ix) => {
        const to = ((n * 3 + c) * oh + y) * ow + at;
        want[to] = join(want[to]!, pixel(x, n, c, iy, ix));
      });
    return want;
  };

  test("MaxPool2d ignores padding", () => {
    const model = new MaxPool2d([3, 2], { stride: [2, 1], padding: 1 });
    close(
      run(model, x).data,
      pool(-Infinity, (most, value) => Math.max(most, value ?? -Infinity)),
    );
  });

  test("AvgPool2d counts padding", () => {
    const model = new AvgPool2d([3, 2], { stride: [2, 1], padding: 1 });
    close(
      run(model, x).data,
      pool(0, (sum, value) => sum + (value ?? 0) / 6),
    );
  });

  test("their stride is the window, and AdaptiveAvgPool2d(1) is the mean of the image", () => {
    expect(run(new MaxPool2d(2), x).shape).toEqual([2, 3, 3, 3]);
    const y = run(new AdaptiveAvgPool2d(1), x);
    expect(y.shape).toEqual([2, 3, 1, 1]);
    const mean = (_: unknown, i: number) =>
      Array.from(x.data.slice(i * 42, i * 42 + 42)).reduce((a, b) => a + b, 0) / 42;
    close(y.data, Float64Array.from({ length: 6 }, mean));
    expect(() => new AdaptiveAvgPool2d(2)).toThrow("only the mean of the whole image has a kernel");
  });
});

/** erf by its series: exact enough here, and 1 where that would cancel. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

test.each([
  ["ReLU", new ReLU(), (x: number) => Math.max(0, x)],
  ["ReLU6", new ReLU6(), (x: number) => Math.min(6, Math.max(0, x))],
  ["SiLU", new SiLU(), (x: number) => x / (1 + Math.exp(-x))],
  ["Sigmoid", new Sigmoid(), (x: number) => 1 / (1 + Math.exp(-x))],
  ["Tanh", new Tanh(), Math.tanh],
  ["GELU", new GELU(), (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2))],
  [
    "Sequential of none but Dropout",
    new Sequential(new Dropout(0.5), new ReLU()),
    (x: number) => Math.max(0, x),
  ],
] as const)("%s", (_, model, of) => {
  for (const shape of [
    [1, 1],
    [3, 17],
    [2, 3, 4, 5],
  ]) {
    const x = floats(shape, 8);
    close(run(model, x).data, Float64Array.from(x.data, of));
  }
});

test("Softmax", () => {
  const x = floats([3, 17]);
  const want = Float64Array.from(x.data, Math.exp);
  for (let row = 0; row < 3; row++) {
    const part = want.subarray(row * 17, row * 17 + 17);
    const sum = part.reduce((a, b) => a + b, 0);
    for (const [i, value] of part.entries()) part[i] = value / sum;
  }
  close(run(new Softmax(), x).data, want);
});

test.each([[[17]], [[4, 5]]])("LayerNorm over [%s]", (shape) => {
  const size = sizeOf(shape);
  const model = new LayerNorm(shape).loadStateDict(
    new Map([
      ["weight", floats(shape, 1, 2)],
      ["bias", floats(shape, 1, 3)],
    ]),
  );
  const x = floats([3, ...shape]);
  const [w, b] = [own(model)("weight"), own(model)("bias")];
  const want = Float64Array.from(x.data, (value, i) => {
    const row = Array.from(x.data.slice(Math.floor(i / size) * size, (Math.floor(i / size) + 1) * size));
    const mean = row.reduce((a, c) => a + c, 0) / size;
    const variance = row.reduce((a, c) => a + (c - mean) ** 2, 0) / size;
    return ((value - mean) / Math.sqrt(variance + 1e-5)) * w[i % size]! + b[i % size]!;
  });
  close(run(model, x).data, want);
});

test("Embedding picks rows of its table, and tells what its input is", () => {
  const model = new Embedding(7, 3).initialize(2);
  const x = tensor("i32", [2, 4], [0, 6, 3, 3, 1, 2, 5, 0]);
  const y = run(model, x);
  expect(y.shape).toEqual([2, 4, 3]);
  const table = own(model)("weight");
  expect([...y.data]).toEqual([...x.data].flatMap((row) => [...table.slice(row * 3, row * 3 + 3)]));
});

test("Flatten, add, mul and cat", () => {
  class Net extends Module {
    readonly flatten = new Flatten();
    forward(x: Value): Value {
      const flat = this.flatten.forward(x);
      return cat([add(flat, flat), mul(flat, flat)]);
    }
  }
  const x = floats([2, 3, 2, 2]);
  const y = run(new Net(), x);
  expect(y.shape).toEqual([2, 24]);
  const row = (n: number) => [...x.data.slice(n * 12, n * 12 + 12)];
  close(
    y.data,
    [0, 1].flatMap((n) => [...row(n).map((v) => 2 * v), ...row(n).map((v) => v * v)]),
  );
});

/** The chapter's model. */
class Chapter extends Module {
  readonly quant = new QuantStub();
  readonly fc = new Linear(10, 10);
  readonly dequant = new DeQuantStub();

  forward(x: Value): Value {
    const quantized = this.quant.forward(x);
    return this.dequant.forward(this.fc.forward(quantized));
  }
}

/** A residual block with a layer in an array. */
class Block extends Module {
  readonly layers = [new Conv2d(4, 4, 3, { padding: 1, bias: false }), new BatchNorm2d(4)];
  readonly act = new ReLU();

  forward(x: Value): Value {
    const y = this.layers.reduce((value, layer) => layer.forward(value), x);
    return this.act.forward(add(x, y));
  }
}

describe("a model", () => {
  test("names its weights and nodes as PyTorch does", () => {
    expect([...new Chapter().stateDict().keys()]).toEqual(["fc.weight", "fc.bias"]);
    const graph = trace(new Chapter());
    expect(graph.nodes.map(({ op, name }) => [op, name])).toEqual([["Linear", "fc"]]);
    expect([...graph.constants.keys()]).toEqual(["fc.weight", "fc.bias"]);
    const deep = new Sequential(new Block(), new Sequential(new Flatten(), new Linear(16, 2)));
    expect([...deep.stateDict().keys()]).toEqual([
      "0.layers.0.weight",
      "0.layers.1.weight",
      "0.layers.1.bias",
      "0.layers.1.running_mean",
      "0.layers.1.running_var",
      "1.1.weight",
      "1.1.bias",
    ]);
    expect(run(deep, floats([3, 4, 2, 2])).shape).toEqual([3, 2]);
  });

  test("is initialised by a seed, each layer by its own numbers within PyTorch's bounds", () => {
    const model = () => new Sequential(new Linear(25, 40), new Linear(40, 40), new Conv2d(4, 3, 5));
    const [a, b, other] = [model().initialize(1), model().initialize(1), model().initialize(2)];
    expect(a.stateDict()).toEqual(b.stateDict());
    expect(a.stateDict()).not.toEqual(other.stateDict());
    expect(model().stateDict()).toEqual(model().initialize(0).stateDict());
    for (const [name, fanIn] of [
      ["0.weight", 25],
      ["0.bias", 25],
      ["1.weight", 40],
      ["2.weight", 100],
    ] as const) {
      const { data } = a.stateDict().get(name)!;
      const largest = Math.max(...Array.from(data, Math.abs));
      expect(largest).toBeLessThanOrEqual(Math.fround(1 / Math.sqrt(fanIn)));
      expect(largest).toBeGreaterThan(0.8 / Math.sqrt(fanIn));
    }
  });

  test("takes the weights of another, and its trace keeps copies", () => {
    const [one, two] = [new Chapter().initialize(1), new Chapter().initialize(2)];
    const graph = trace(two);
    two.loadStateDict(trace(one).constants);
    expect(two.stateDict()).toEqual(one.stateDict());
    expect(graph.constants).not.toEqual(trace(two).constants);
    expect(() => two.loadStateDict(new Map([["fc.weight", floats([10, 9])]]))).toThrow(
      'loadStateDict: the weights are not those of this model: got "fc.weight" f32 [10, 10]: f32 [10, 9], "fc.bias" f32 [10]: missing. It has "fc.weight", "fc.bias"',
    );
  });

  test("may use a layer twice", () => {
    class Twice extends Module {
      readonly fc = new Linear(4, 4);
      forward(x: Value): Value {
        return this.fc.forward(this.fc.forward(x));
      }
    }
    const model = new Twice();
    const x = floats([3, 4]);
    const [w, b] = [own(model)("fc.weight"), own(model)("fc.bias")];
    close(run(model, x).data, linear(linear(x.data, w, b, 4), w, b, 4));
    expect([...trace(model).constants.keys()]).toEqual(["fc.weight", "fc.bias"]);
  });
});

describe("errors say where and what", () => {
  const of = (forward: (x: Value) => Value) => {
    class Net extends Module {
      readonly fc = new Linear(4, 4);
      readonly conv = new Conv2d(3, 4, 3);
      readonly norm = new BatchNorm2d(5);
      readonly embedding = new Embedding(3, 3);
      override forward = forward.bind(this);
    }
    return new Net();
  };
  type Parts = { fc: Linear; conv: Conv2d; norm: BatchNorm2d; embedding: Embedding };
  const parts = (use: (net: Parts, x: Value) => Value) =>
    of(function (this: unknown, x: Value) {
      return use(this as Parts, x);
    } as (x: Value) => Value);

  test.each([
    [
      ["batch", 5],
      (net: Parts, x: Value) => net.fc.forward(x),
      "fc: its input does not fit: expected [batch, …, 4], got [batch, 5]",
    ],
    [
      ["batch", 3, 5],
      (net: Parts, x: Value) => net.conv.forward(x),
      "conv: its input does not fit: expected [batch, 3, height, width]",
    ],
    [
      ["batch", 3, 9, 9],
      (net: Parts, x: Value) => net.norm.forward(net.conv.forward(x)),
      "norm: its input has other channels: expected 5, got 4",
    ],
    [
      ["batch", 4],
      (net: Parts, x: Value) => net.embedding.forward(net.fc.forward(x)),
      "embedding: its input does not fit",
    ],
    [undefined, (net: Parts, x: Value) => net.conv.forward(x), "the shape of the model's input is not known"],
    [["batch", 4], (_: Parts, x: Value) => x, "forward() computes nothing"],
    [
      ["batch", 4],
      (_: Parts, x: Value) => new Linear(4, 4).forward(x),
      "Linear: a layer is not part of the model that uses it",
    ],
    [["batch", 4, 3], (net: Parts, x: Value) => add(x, net.fc.forward(x)), "fc: its input does not fit"],
  ] as const)("%o", (shape, use, message) => {
    const options = shape as Shape | undefined;
    expect(() => trace(parts(use), options)).toThrow(message);
  });

  test("of values of another pass", () => {
    let kept: Value | undefined;
    const keeping = parts((net, x) => (kept ??= net.fc.forward(x)));
    trace(keeping);
    expect(() => trace(parts((net, x) => add(kept!, net.fc.forward(x))))).toThrow("of another forward pass");
    expect(() => trace(keeping)).toThrow("of another forward pass");
  });

  test.each([
    [() => new Linear(0, 3), "Linear: inFeatures does not fit: expected a whole number from 1, got 0"],
    [() => new Conv2d(4, 6, 3, { groups: 4 }), "its groups do not divide its channels"],
    [() => new Conv2d(4, 6, 3, { padding: -1 }), "Conv2d: padding does not fit"],
    [() => new MaxPool2d(1.5), "kernelSize does not fit"],
    [() => new Embedding(3, Number.NaN), "embeddingDim does not fit"],
    [() => new Dropout(2), "p must be a probability"],
    [() => new LayerNorm([0]), "normalizedShape does not fit"],
  ])("%s", (make, message) => {
    expect(make).toThrow(message);
  });
});
