// The training loop: its passes against plain loops in float64, what it trains against what is deployed, and what it says when it is
// called in another order.

import { describe, expect, test } from "vitest";
import { inlined } from "../../src/engine/inlined";
import { Engine } from "../../src/engine/wasm";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { load, save } from "../../src/index";
import {
  AdamW,
  AdaptiveAvgPool2d,
  add,
  BatchNorm2d,
  Conv2d,
  convert,
  crossEntropyLoss,
  DataLoader,
  Embedding,
  Flatten,
  fuse,
  GRU,
  LayerNorm,
  Linear,
  LSTM,
  MaxPool2d,
  Module,
  mseLoss,
  prepareQat,
  quantizeDynamic,
  ReLU,
  ReLU6,
  RNN,
  Sequential,
  SGD,
  SiLU,
  type Trainable,
  trace,
  trainable,
  type Value,
} from "../../src/nn/index";
import { train } from "../../src/train/inlined";
import { Trainer } from "../../src/train/run/trainer";
import { LABELS } from "../../src/train/step/losses";
import { createOptimizer } from "../../src/train/step/optimizers";
import { parametersOf } from "../../src/train/step/prepare";
import { withModel } from "../engine/engines";
import { randomOf } from "../graph-builder";

const floats = (shape: readonly number[], seed: number, bound = 1): Tensor => {
  const { between } = randomOf(seed);
  return tensor(
    "f32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => between(-bound, bound)),
  );
};
const labelsOf = (count: number, classes: number, seed: number) => {
  const { below } = randomOf(seed);
  return Int32Array.from({ length: count }, () => below(classes));
};

const mlp = () => new Sequential(new Linear(10, 17), new ReLU(), new Linear(17, 5)).initialize(4);

/** A small network of most layers there are. */
class Net extends Module {
  readonly stem = new Sequential(
    new Conv2d(2, 8, 3, { padding: 1, bias: false }),
    new BatchNorm2d(8),
    new ReLU6(),
  );
  readonly depthwise = new Conv2d(8, 8, 3, { padding: 1, groups: 8 });
  readonly act = new ReLU();
  readonly pool = new MaxPool2d(2);
  readonly gate = new SiLU();
  readonly mean = new AdaptiveAvgPool2d(1);
  readonly flatten = new Flatten();
  readonly fc = new Linear(8, 5);

  forward(x: Value): Value {
    const stem = this.stem.forward(x);
    const block = add(stem, this.act.forward(this.depthwise.forward(stem)));
    const y = this.gate.forward(this.pool.forward(block));
    return this.fc.forward(this.flatten.forward(this.mean.forward(y)));
  }
}
const IMAGE = [2, 8, 6];
const inputShape = ["batch", ...IMAGE];

/** Steps of a sequence, and numbers of one. */
const SEQUENCE = [6, 5];
/** A network over sequences, whose layer makes 8 numbers a step. */
const sequences = (layer: Module) =>
  trainable(new Sequential(layer, new Flatten(), new Linear(6 * 8, 5)).initialize(3), {
    inputShape: ["batch", ...SEQUENCE],
  });

const kinds: Readonly<Record<string, { shape: readonly number[]; make: () => Promise<Trainable> }>> = {
  "float mlp": { shape: [10], make: async () => trainable(mlp()) },
  "dynamic mlp": { shape: [10], make: () => quantizeDynamic(mlp(), { Linear }, "qint8") },
  "float net": { shape: IMAGE, make: async () => trainable(new Net().initialize(2), { inputShape }) },
  "float lstm": { shape: SEQUENCE, make: async () => sequences(new LSTM(5, 8)) },
  "float gru": { shape: SEQUENCE, make: async () => sequences(new GRU(5, 4, { bidirectional: true })) },
  "float rnn": { shape: SEQUENCE, make: async () => sequences(new RNN(5, 8, { bias: false })) },
  "8 bit net": { shape: IMAGE, make: () => qat(8) },
  "4 bit net": { shape: IMAGE, make: () => qat(4) },
};
const qat = (bits: number) =>
  prepareQat(new Net().initialize(2), {
    inputShape,
    bits,
    calibration: new DataLoader(
      { inputs: floats([64, ...IMAGE], 9), labels: new Int32Array(64) },
      { batchSize: 16 },
    ),
  });

describe.each(Object.entries(kinds))("%s", (_, { shape, make }) => {
  const batch = (n: number, seed: number) => floats([n, ...shape], seed);

  test("what is trained is what is deployed, to the byte, in every step", async () => {
    const model = await make();
    const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
    const criterion = crossEntropyLoss();
    for (const [step, n] of [4, 3, 17, 1].entries()) {
      const inputs = batch(n, step);
      model.train();
      optimizer.zeroGrad();
      const outputs = model.forward(inputs);
      const artifact = await load(save(convert(model)), { maxima: { batch: 32 } });
      expect(Object.values(artifact.runSync({ input: inputs }))[0]!.data).toEqual(outputs.data);
      artifact.dispose();
      expect(model.eval().forward(inputs).data).toEqual(outputs.data);
      criterion(outputs, labelsOf(n, 5, step)).backward();
      optimizer.step();
      expect(model.eval().forward(inputs).data).not.toEqual(outputs.data);
    }
    model.dispose();
  });

  test("its steps are those of one plan that judges and updates by itself", async () => {
    const [model, same] = [await make(), await make()];
    const graph = same.graph();
    const masters = new Map(
      same.parameters().map(({ name, shape, data }) => [name, tensor("f32", shape, data)]),
    );
    const parameters = parametersOf(graph).filter(({ kind }) => kind !== "scale");
    const trainer = new Trainer(
      graph,
      parameters.map((parameter) => ({ ...parameter, start: masters.get(parameter.name)! })),
      {
        losses: [{ kind: "crossEntropy" }],
        optimizer: createOptimizer({ kind: "adamw", lr: 0.01 }),
        keepsGradients: false,
        batch: 8,
        engine: new Engine({ ...inlined, train }),
      },
    );
    const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
    const criterion = crossEntropyLoss();
    model.train();
    for (let step = 1; step <= 3; step++) {
      const [inputs, labels] = [batch(8, step), labelsOf(8, 5, step)];
      optimizer.lr = 0.01 / step;
      optimizer.zeroGrad();
      const loss = criterion(model.forward(inputs), labels);
      loss.backward();
      optimizer.step();
      const feeds = { input: inputs, [LABELS]: { dtype: "i32" as const, shape: [8], data: labels } };
      expect(trainer.run(feeds, 0.01 / step, step).loss).toBe(loss.item());
    }
    expect(model.graph().constants).toEqual(trainer.graph().constants);
    trainer.dispose();
    model.dispose();
  });

  test("learns", async () => {
    const model = await make();
    const optimizer = new AdamW(model.parameters(), { lr: 0.02 });
    const criterion = crossEntropyLoss();
    const [inputs, labels] = [batch(16, 1), labelsOf(16, 5, 1)];
    model.train();
    const losses = Array.from({ length: 40 }, () => {
      optimizer.zeroGrad();
      const loss = criterion(model.forward(inputs), labels);
      loss.backward();
      optimizer.step();
      return loss.item();
    });
    expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!);
    model.dispose();
  });
});

const rows = (data: ArrayLike<number>, cols: number) =>
  Array.from({ length: data.length / cols }, (_, r) =>
    Array.from({ length: cols }, (_, c) => data[r * cols + c]!),
  );

const close = (got: ArrayLike<number>, want: ArrayLike<number>) => {
  expect(got.length).toBe(want.length);
  const largest = Array.from(want).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  for (let i = 0; i < want.length; i++)
    expect(Math.abs(got[i]! - want[i]!)).toBeLessThanOrEqual(1e-4 * largest);
};

describe("against plain loops", () => {
  const [inputs, targets] = [floats([6, 10], 1), floats([6, 5], 2)];

  test.each(["float", "dynamic"])("gradients of two layers, %s", async (kind) => {
    const model = kind === "float" ? trainable(mlp()) : await quantizeDynamic(mlp(), { Linear }, "qint8");
    const masters = new Map(model.parameters().map(({ name, data }) => [name, data]));
    // The weights that the forward pass has: codes stand for them.
    const { constants } = model.graph();
    const weight = (name: string): ArrayLike<number> => {
      const codes = constants.get(name)!;
      if (codes.dtype === "f32") return codes.data;
      const scale = constants.get(`${name}_scale`)!.data;
      return Float64Array.from(codes.data, (code, i) => code * scale[Math.floor(i / codes.shape[1]!)]!);
    };
    const w2 = rows(weight("2.weight"), 17);
    const h = hidden(model, inputs);
    const optimizer = new SGD(model.parameters(), { lr: 1 });
    model.train();
    const outputs = model.forward(inputs);
    mseLoss()(outputs, targets).backward();
    optimizer.step();
    const dy = rows(outputs.data, 5).map((row, r) =>
      row.map((y, c) => (2 * (y - targets.data[r * 5 + c]!)) / 30),
    );
    const dh = dy.map((row, r) =>
      h[r]!.map((v, k) => (v > 0 ? row.reduce((sum, d, o) => sum + d * w2[o]![k]!, 0) : 0)),
    );
    const product = (d: number[][], x: number[][]) =>
      d[0]!.flatMap((_, o) => x[0]!.map((_, k) => d.reduce((sum, row, r) => sum + row[o]! * x[r]![k]!, 0)));
    const sums = (d: number[][]) => d[0]!.map((_, o) => d.reduce((sum, row) => sum + row[o]!, 0));
    const want: Record<string, number[]> = {
      "0.weight": product(dh, rows(inputs.data, 10)),
      "0.bias": sums(dh),
      "2.weight": product(dy, h),
      "2.bias": sums(dy),
    };
    for (const { name, data } of model.parameters())
      close(
        masters.get(name)!.map((before, i) => before - data[i]!),
        want[name]!,
      );
    model.dispose();
  });

  /** What the second layer reads: computed by the deployed graph, its first node's result being an output. */
  function hidden(model: Trainable, x: Tensor): number[][] {
    const graph = model.graph();
    const nodeOf = (wanted: string) => graph.nodes.find(({ op }) => op === wanted);
    const relu = (nodeOf("Relu") ?? nodeOf("Linear"))!.outputs[0]!;
    const made = withModel({ ...graph, outputs: [relu] }, { maxima: { batch: 8 } }, (m) =>
      m.runSync({ input: x }),
    );
    return rows(made[relu]!.data, 17);
  }

  test.each([0, 0.1])("cross-entropy, smoothing %f", (labelSmoothing) => {
    const [logits, labels] = [floats([3, 17], 3, 4), labelsOf(3, 17, 3)];
    const want = rows(logits.data, 17).map((row, r) => {
      const sum = row.reduce((s, v) => s + Math.exp(v), 0);
      const log = row.map((v) => v - Math.log(sum));
      return -log.reduce(
        (s, l, c) => s + l * (labelSmoothing / 17 + (c === labels[r] ? 1 - labelSmoothing : 0)),
        0,
      );
    });
    const mean = want.reduce((a, b) => a + b, 0) / 3;
    expect(crossEntropyLoss({ labelSmoothing })(logits, labels).item()).toBeCloseTo(mean, 5);
  });

  test("one criterion judges any batch and any number of classes", () => {
    const criterion = crossEntropyLoss();
    for (const [n, classes] of [
      [4, 3],
      [1, 3],
      [17, 3],
      [2, 4],
    ] as const) {
      const [logits, labels] = [floats([n, classes], n), labelsOf(n, classes, n)];
      expect(criterion(logits, labels).item()).toBe(crossEntropyLoss()(logits, labels).item());
    }
  });

  test("backward passes add up until zeroGrad", () => {
    const step = (batches: readonly (readonly [number, number])[]) => {
      const model = trainable(mlp()).train();
      const optimizer = new SGD(model.parameters(), { lr: 1 });
      const before = model.parameters().map(({ data }) => data);
      const criterion = mseLoss();
      for (const [from, to] of batches) {
        const part = ({ shape: [, n = 1], data }: Tensor) =>
          tensor("f32", [to - from, n], data.slice(from * n, to * n));
        criterion(model.forward(part(inputs)), part(targets)).backward();
      }
      optimizer.step();
      const moved = model.parameters().map(({ data }, p) => data.map((v, i) => before[p]![i]! - v));
      model.dispose();
      return moved;
    };
    const [whole, halves] = [
      step([[0, 6]]),
      step([
        [0, 3],
        [3, 6],
      ]),
    ];
    for (const [p, gradient] of whole.entries())
      close(
        halves[p]!.map((g) => g / 2),
        gradient,
      );
  });
});

test("a larger batch finds masters and momentum as they were", () => {
  const run = (sizes: readonly number[]) => {
    const model = trainable(mlp()).train();
    const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    if (sizes.length === 4) model.forward(floats([32, 10], 0));
    for (const n of sizes.slice(-3)) {
      optimizer.zeroGrad();
      crossEntropyLoss()(model.forward(floats([n, 10], n)), labelsOf(n, 5, n)).backward();
      optimizer.step();
    }
    return model;
  };
  const [growing, large] = [run([4, 8, 32]), run([32, 4, 8, 32])];
  expect(growing.graph().constants).toEqual(large.graph().constants);
  expect(growing.bytes).toBeGreaterThan(0);
});

test("what an optimizer was not given stays; another optimizer goes on from what there is", async () => {
  for (const make of [kinds["dynamic mlp"]!.make, kinds["8 bit net"]!.make]) {
    const model = await make();
    const shape = make === kinds["dynamic mlp"]!.make ? [10] : IMAGE;
    const step = (optimizer: SGD) => {
      model.train();
      optimizer.zeroGrad();
      crossEntropyLoss()(model.forward(floats([4, ...shape], 3)), labelsOf(4, 5, 3)).backward();
      optimizer.step();
    };
    const all = () => model.parameters().map(({ name, data }) => [name, data] as const);
    const [first, last] = [all()[0]![0], all().at(-1)![0]];
    const before = new Map(all());
    step(
      new SGD(
        model.parameters().filter(({ name }) => name === last),
        { lr: 0.1 },
      ),
    );
    const between = new Map(all());
    for (const [name, data] of between)
      if (name === last) expect(data).not.toEqual(before.get(name));
      else expect(data).toEqual(before.get(name));
    step(
      new SGD(
        model.parameters().filter(({ name }) => name === first),
        { lr: 0.1 },
      ),
    );
    const after = new Map(all());
    expect(after.get(last)).toEqual(between.get(last));
    expect(after.get(first)).not.toEqual(between.get(first));
    const x = floats([3, ...shape], 1);
    const outputs = model.forward(x);
    model.dispose();
    expect(model.eval().forward(x).data).toEqual(outputs.data);
  }
});

test("an embedding and a LayerNorm learn", () => {
  const model = trainable(
    new Sequential(new Embedding(7, 6), new LayerNorm(6), new Linear(6, 7)).initialize(1),
  ).train();
  const optimizer = new SGD(model.parameters(), { lr: 0.5 });
  expect(model.parameters().map(({ name }) => name)).toEqual([
    "0.weight",
    "1.weight",
    "1.bias",
    "2.weight",
    "2.bias",
  ]);
  const before = model.parameters().map(({ data }) => data);
  const words = tensor("i32", [7], [0, 1, 2, 3, 4, 5, 6]);
  const criterion = crossEntropyLoss();
  let loss = Infinity;
  for (let i = 0; i < 60; i++) {
    optimizer.zeroGrad();
    const judged = criterion(model.forward(words), [3, 5, 0, 2, 6, 1, 4]);
    judged.backward();
    optimizer.step();
    loss = judged.item();
  }
  expect(loss).toBeLessThan(0.2);
  for (const [i, { data }] of model.parameters().entries()) expect(data).not.toEqual(before[i]);
});

describe("called in another order, it says what to call first", () => {
  const [x, labels] = [floats([4, 10], 1), labelsOf(4, 5, 1)];
  const ready = () => {
    const model = trainable(mlp()).train();
    return { model, optimizer: new SGD(model.parameters(), { lr: 0.1 }), criterion: crossEntropyLoss() };
  };

  test("forward without an optimizer", () => {
    expect(() => trainable(mlp()).train().forward(x)).toThrow(
      "forward: no optimizer moves the model that is to be trained. Make one first: new SGD(model.parameters(), { lr: 0.01 }); or call eval()",
    );
  });

  test("backward of what evaluation made", () => {
    const { model, criterion } = ready();
    const loss = criterion(model.eval().forward(x), labels);
    expect(loss.item()).toBeGreaterThan(0);
    expect(() => loss.backward()).toThrow("Call model.train() before forward()");
  });

  test("backward twice, or of a pass that another took the place of", () => {
    const { model, criterion } = ready();
    const [first, second] = [1, 2].map(() => criterion(model.forward(x), labels));
    expect(() => first!.backward()).toThrow("Call forward() and the loss again, then backward()");
    second!.backward();
    expect(() => second!.backward()).toThrow("Call forward() and the loss again, then backward()");
  });

  test("step without backward, and without another", () => {
    const { model, optimizer, criterion } = ready();
    expect(() => optimizer.step()).toThrow("Call loss.backward() first");
    const loss = criterion(model.forward(x), labels);
    expect(() => optimizer.step()).toThrow("Call loss.backward() first");
    loss.backward();
    optimizer.step();
    expect(() => optimizer.step()).toThrow("Call loss.backward() first");
  });

  test("backward with the gradients of the last step", () => {
    const { model, optimizer, criterion } = ready();
    criterion(model.forward(x), labels).backward();
    optimizer.step();
    const loss = criterion(model.forward(x), labels);
    expect(() => loss.backward()).toThrow("Call optimizer.zeroGrad() first");
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
  });

  test("backward or step by an optimizer that another took the place of", () => {
    const { model, optimizer, criterion } = ready();
    const loss = criterion(model.forward(x), labels);
    new SGD(model.parameters(), { lr: 0.1 });
    expect(() => loss.backward()).toThrow("Call forward()");
    expect(() => optimizer.step()).toThrow("Use the optimizer that was made last");
    expect(() => optimizer.zeroGrad()).toThrow("Use the optimizer that was made last");
  });
});

describe("errors say where and what", () => {
  test("of labels, targets and batches", () => {
    const logits = floats([2, 3], 1);
    expect(() => crossEntropyLoss()(logits, [0])).toThrow("outputs and labels do not fit");
    expect(() => crossEntropyLoss()(logits, [0, 3])).toThrow(
      "a label is outside the classes: expected 0 to 2, got 3 at 1",
    );
    expect(() => crossEntropyLoss()(logits, [0, 0.5])).toThrow("got 0.5 at 1");
    expect(() => crossEntropyLoss({ labelSmoothing: 1 })).toThrow("crossEntropyLoss.labelSmoothing");
    expect(() => mseLoss()(logits, floats([2, 4], 1))).toThrow("shape does not fit");
    expect(() => trainable(mlp()).forward(floats([2, 9], 1))).toThrow('input "input": shape does not fit');
  });

  test("of optimizers", () => {
    const [a, b] = [trainable(mlp()), trainable(mlp())];
    expect(() => new SGD([], { lr: 1 })).toThrow("the parameters are not those of one model");
    expect(() => new AdamW([...a.parameters(), ...b.parameters()], { lr: 1 })).toThrow(
      "those of several models",
    );
    expect(() => new SGD(a.parameters(), { lr: -1 })).toThrow("optimizer.lr");
    const optimizer = new SGD(a.parameters(), { lr: 1 });
    optimizer.lr = Number.NaN;
    expect(() => optimizer.step()).toThrow("optimizer.lr");
  });

  test("of quantizeDynamic", async () => {
    await expect(quantizeDynamic(mlp(), { Conv2d })).rejects.toThrow("prepareQat quantizes whole networks");
    await expect(quantizeDynamic(mlp(), { Linear }, "float16" as "qint8")).rejects.toThrow(
      "this dynamic quantization is not supported",
    );
    await expect(
      quantizeDynamic(new Sequential(new ReLU()), { Linear }, "qint8", { inputShape: ["batch", 3] }),
    ).rejects.toThrow("the model has no layer of these classes");
    await expect(quantizeDynamic(new Net())).rejects.toThrow("the shape of the model's input is not known");
  });
});

describe("PyTorch's names", () => {
  test("fuse folds BatchNorm, and leaves what is simple alone", () => {
    const graph = fuse(new Net(), { inputShape });
    expect(graph.nodes.some(({ op }) => op === "BatchNormalization")).toBe(false);
    expect(fuse(graph)).toBe(graph);
  });

  test("prepareQat takes a graph, and converts to what octette quantizes", async () => {
    const graph = trace(new Net().initialize(2), inputShape);
    const model = await prepareQat(graph, { calibration: [{ input: floats([32, ...IMAGE], 9) }], bits: 4 });
    expect(convert(model).nodes.some(({ op }) => op === "QuantizeLinear")).toBe(true);
    expect(model.parameters().map(({ name }) => name)).toContain("fc.weight");
    await expect(prepareQat(graph, { calibration: [], bits: 9 })).rejects.toThrow(
      "invalid number of weight bits",
    );
  });

  test("quantizeDynamic leaves layers of other classes as they are", async () => {
    class Special extends Linear {}
    const net = new Sequential(new Linear(10, 8), new ReLU(), new Special(8, 5));
    const areInteger = async (classes: Record<string, typeof Linear>) =>
      (await quantizeDynamic(net, classes))
        .graph()
        .nodes.flatMap(({ op, codes }) => (op === "Linear" ? [codes !== undefined] : []));
    expect(await areInteger({ Linear })).toEqual([true, true]);
    expect(await areInteger({ Special })).toEqual([false, true]);
  });

  test("a module takes back what was trained", () => {
    const net = mlp();
    const model = trainable(net).train();
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const x = floats([4, 10], 1);
    crossEntropyLoss()(model.forward(x), labelsOf(4, 5, 1)).backward();
    optimizer.step();
    net.loadStateDict(model.graph().constants);
    expect(trainable(net).forward(x).data).toEqual(model.eval().forward(x).data);
  });
});

describe("DataLoader", () => {
  const inputs = tensor(
    "f32",
    [7, 2],
    Array.from({ length: 14 }, (_, i) => i),
  );
  const labels = [0, 1, 2, 3, 4, 5, 6];

  test("gives every sample once an epoch, the last batch as small as it is", () => {
    const loader = new DataLoader({ inputs, labels }, { batchSize: 3 });
    expect(loader.length).toBe(3);
    expect([...loader].map(([x, y]) => [x.shape, [...x.data], [...y]])).toEqual([
      [
        [3, 2],
        [0, 1, 2, 3, 4, 5],
        [0, 1, 2],
      ],
      [
        [3, 2],
        [6, 7, 8, 9, 10, 11],
        [3, 4, 5],
      ],
      [[1, 2], [12, 13], [6]],
    ]);
  });

  test("shuffles by a seed, anew in every epoch", () => {
    const loader = (seed: number) =>
      new DataLoader({ inputs, labels }, { batchSize: 2, shuffle: true, seed });
    const order = (one: DataLoader) =>
      [...one].flatMap(([x, y]) => {
        for (const [i, label] of y.entries()) expect(x.data[2 * i]).toBe(2 * label);
        return [...y];
      });
    const [a, b] = [loader(1), loader(1)];
    const first = order(a);
    expect(order(b)).toEqual(first);
    expect([...first].sort()).toEqual(labels);
    expect(order(a)).not.toEqual(first);
    expect(order(loader(2))).not.toEqual(first);
  });

  test("says what does not fit", () => {
    expect(() => new DataLoader({ inputs, labels: [1] })).toThrow("expected 7 labels, got 1");
    expect(() => new DataLoader({ inputs, labels }, { batchSize: 0 })).toThrow("batchSize does not fit");
  });
});
