// Small random graphs of every op that has kernels, over inputs of a batch: along the first axis or another, beside values
// that do not depend on it. Every graph follows from its seed.

import { OctetteError } from "../../src/errors";
import type { Graph, ValueType } from "../../src/graph/graph";
import { type Dim, multiplyDims, type Shape } from "../../src/graph/symbols";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { registry } from "../../src/ops/index";
import { removeDead } from "../../src/passes/remove-dead";
import { BATCH, type CreateModel, checkCuts, type Outcome } from "./cuts";
import { type Candidate, type Constant, Growing, Misfit, type Value } from "./growing-graph";

type Make = (g: Growing) => Candidate;

const unary: Make = (g) => ({ inputs: [g.value()] });
const rankOf = ({ shape }: ValueType) => shape.length;
const axisOf = (g: Growing, value: Value) => {
  if (rankOf(value) === 0) throw new Misfit();
  return g.whole(0, rankOf(value) - 1);
};

/** Two values, or a value and a constant that it is broadcast with. */
const binary: Make = (g) => {
  const a = g.value();
  if (g.chance(0.6)) {
    const b = g.chance(0.4) ? g.value(({ shape }) => `${shape}` === `${a.shape}`) : g.value();
    return { inputs: g.chance(0.5) ? [a, b] : [b, a] };
  }
  const shape = a.shape
    .slice(g.whole(0, rankOf(a)))
    .map((dim) => (typeof dim === "number" && g.chance(0.7) ? dim : 1));
  return { inputs: [a, { kind: "plain", shape }] };
};

const overLastAxis: Make = (g) => ({
  inputs: [g.value((value) => rankOf(value) > 0)],
  attributes: { axis: -1 },
});

/** The dimensions of a shape as factors, each a prime or a symbol. */
function factors(shape: Shape): Dim[] {
  return shape.flatMap((dim) => {
    const found: Dim[] = [];
    let [number = 1, symbol] =
      typeof dim === "number" ? [dim] : dim.includes("*") ? [Number.parseInt(dim, 10), BATCH] : [1, dim];
    for (let prime = 2; number > 1; prime++) for (; number % prime === 0; number /= prime) found.push(prime);
    return symbol === undefined ? found : [...found, symbol];
  });
}

/** Other dimensions with as many elements: in the same order, or in another. */
function otherShape(g: Growing, shape: Shape): Dim[] {
  const all = factors(shape);
  if (g.chance(0.3)) g.shuffle(all);
  const dims: Dim[] = [];
  for (const factor of all) {
    if (dims.length > 0 && g.chance(0.5)) dims.push(multiplyDims(dims.pop()!, factor));
    else dims.push(factor);
  }
  if (g.chance(0.3)) dims.splice(g.whole(0, dims.length), 0, 1);
  return dims;
}

/** An image of known size. */
const image = (g: Growing): Value =>
  g.value(
    ({ shape }) =>
      (shape.length === 3 || shape.length === 4) && shape.slice(1).every((d) => typeof d === "number"),
  );

const spatialOf = ({ shape }: Value) => shape.slice(2) as number[];

const pooling: Make = (g) => {
  const x = image(g);
  const kernel = spatialOf(x).map((size) => g.whole(1, Math.min(3, size)));
  const attributes = { kernel_shape: kernel, strides: kernel.map(() => g.whole(1, 2)) };
  return { inputs: [x], attributes };
};

const indices = (g: Growing): Value => {
  if (g.chance(0.5)) {
    const shape = g.one<readonly number[]>([[], [1], [2], [1, 2]]);
    return g.numbers(
      tensor(
        "i32",
        shape,
        Array.from({ length: sizeOf(shape) }, () => g.whole(-1, 3)),
      ),
    );
  }
  if (g.chance(0.5)) return g.add("ArgMax", makers.ArgMax(g))[0]!;
  return g.value(undefined, "i32");
};

/** A value, some of them with every row of a batch seen as several. */
function sliceable(g: Growing): Value {
  if (g.chance(0.6)) return g.value();
  const x = g.value(({ shape: [rows, each] }) => rows === BATCH && typeof each === "number");
  const [rows, each, ...rest] = x.shape as [Dim, Dim, ...Dim[]];
  return g.add("Reshape", { inputs: [x], attributes: { shape: [multiplyDims(rows, each), ...rest] } })[0]!;
}

/** What makes a node of every op that has kernels. */
export const makers = {
  Abs: unary,
  Add: binary,
  ArgMax(g) {
    const x = g.value();
    return { inputs: [x], attributes: { axis: axisOf(g, x), keepdims: g.whole(0, 1) } };
  },
  AveragePool: pooling,
  Cast: (g) => {
    const x = g.chance(0.5) ? indices(g) : g.value(undefined, "i32");
    return { inputs: [x], attributes: { to: "u8" } };
  },
  Clip: (g) => ({ inputs: [g.value()], attributes: { min: -1, max: 0.5 } }),
  Concat(g) {
    const a = g.value();
    const axis = axisOf(g, a);
    const b = g.value(
      ({ shape }) => shape.length === rankOf(a) && shape.every((dim, i) => i === axis || dim === a.shape[i]),
    );
    return { inputs: [a, b], attributes: { axis } };
  },
  Conv(g) {
    const x = image(g);
    const channels = x.shape[1] as number;
    const group = g.chance(0.3) ? channels : 1;
    const kernel = spatialOf(x).map((size) => g.whole(1, Math.min(3, size)));
    const out = group * g.whole(1, 3);
    const bias: Constant[] = g.chance(0.5) ? [{ kind: "bias", shape: [out] }] : [];
    const pads = [...kernel, ...kernel].map((size) => g.whole(0, size - 1));
    return {
      inputs: [x, { kind: "weights", shape: [out, channels / group, ...kernel] }, ...bias],
      attributes: { kernel_shape: kernel, pads, group, strides: kernel.map(() => g.whole(1, 2)) },
    };
  },
  DequantizeLinear: (g) => quantized(g, true),
  CumSum(g) {
    const x = g.value();
    const [exclusive, reverse] = [g.whole(0, 1), g.whole(0, 1)];
    return { inputs: [x], attributes: { axis: [axisOf(g, x)], exclusive, reverse } };
  },
  Div: binary,
  Dropout: (g) => ({ inputs: [g.value()], attributes: { ratio: 0.5 } }),
  DynamicQuantize: (g) => ({
    inputs: [g.value()],
    attributes: g.chance(0.7) ? { axis: -1 } : {},
    outputs: 3,
  }),
  Elu: unary,
  Erf: unary,
  Exp: unary,
  Expand(g) {
    const x = g.value();
    const repeats = () => g.one<Dim>([2, BATCH, 3]);
    const shape = x.shape.map((dim) => (dim === 1 && g.chance(0.7) ? repeats() : dim));
    return { inputs: [x], attributes: { shape: g.chance(0.3) ? [repeats(), ...shape] : shape } };
  },
  Flatten(g) {
    const x = g.value();
    return { inputs: [x], attributes: { axis: g.whole(0, rankOf(x)) } };
  },
  Gather(g) {
    const at = indices(g);
    const x = g.chance(0.3) ? g.numbers(tensor("f32", [3, 2], [1, 2, 3, 4, 5, 6])) : g.value();
    return { inputs: [x, at], attributes: { axis: axisOf(g, x) } };
  },
  Gelu: unary,
  GlobalAveragePool: (g) => ({ inputs: [image(g)] }),
  GlobalMaxPool: (g) => ({ inputs: [image(g)] }),
  HardSigmoid: unary,
  HardSwish: unary,
  Identity: unary,
  LayerNormalization: (g) => ({ ...normalized(g), outputs: g.one([1, 1, 3]) }),
  LeakyRelu: unary,
  Linear(g) {
    const x = g.value(({ shape }) => typeof shape.at(-1) === "number");
    const [k, n] = [x.shape.at(-1) as number, g.whole(1, 9)];
    const bias: Constant[] = g.chance(0.5) ? [{ kind: "bias", shape: [n] }] : [];
    return { inputs: [x, { kind: "weights", shape: [n, k] }, ...bias] };
  },
  LogSoftmax: overLastAxis,
  MatMul(g) {
    const a = g.value((value) => rankOf(value) > 0);
    const k = a.shape.at(-1)!;
    if (typeof k === "number" && g.chance(0.4))
      return { inputs: [a, { kind: "plain", shape: [k, g.whole(1, 9)] }] };
    if (rankOf(a) > 1 && g.chance(0.7)) {
      const perm = a.shape.map((_, i) => (i < rankOf(a) - 2 ? i : 2 * rankOf(a) - 3 - i));
      const [t] = g.add("Transpose", { inputs: [a], attributes: { perm } });
      return { inputs: g.chance(0.5) ? [a, t!] : [t!, a] };
    }
    return {
      inputs: [a, g.value(({ shape }) => shape.at(-2) === k || (shape.length === 1 && shape[0] === k))],
    };
  },
  MaxPool: pooling,
  Mul: binary,
  Neg: unary,
  Pad(g) {
    const x = g.value((value) => rankOf(value) > 0);
    const pads = new Array<number>(2 * rankOf(x)).fill(0);
    const axis = axisOf(g, x);
    pads[axis] = g.whole(-1, 2);
    pads[axis + rankOf(x)] = g.chance(0.5) ? -pads[axis] : g.whole(-1, 2);
    return {
      inputs: [x],
      attributes: { pads, mode: g.one(["constant", "constant", "edge", "reflect", "wrap"]) },
    };
  },
  QuantizeLinear: (g) => quantized(g, false),
  ReduceMean(g) {
    const x = g.value();
    const first = axisOf(g, x);
    const axes = Array.from({ length: g.whole(1, rankOf(x) - first) }, (_, i) => first + i);
    return { inputs: [x], attributes: { axes, keepdims: g.whole(0, 1) } };
  },
  Relu: unary,
  Reshape(g) {
    const x = g.value();
    return { inputs: [x], attributes: { shape: otherShape(g, x.shape) } };
  },
  RMSNormalization(g) {
    const { inputs, attributes } = normalized(g);
    return { inputs: inputs.slice(0, 2), attributes: attributes! };
  },
  RotaryEmbedding(g) {
    const x = g.value(
      ({ shape: [, ...rest] }) => [2, 3].includes(rest.length) && Number(rest.at(-1)) % 2 === 0,
    );
    const angles = {
      kind: "plain",
      shape: [1, x.shape.at(-2)!, Number(x.shape.at(-1)) / 2] as number[],
    } as const;
    if (typeof angles.shape[1] !== "number") throw new Misfit();
    return { inputs: [x, angles, angles], attributes: { num_heads: 1, interleaved: g.whole(0, 1) } };
  },
  Resize(g) {
    const x = g.value();
    const scales = x.shape.map((dim) => (typeof dim === "number" && g.chance(0.5) ? g.whole(1, 2) : 1));
    return { inputs: [x], attributes: { scales } };
  },
  Sigmoid: unary,
  Silu: unary,
  Slice(g) {
    const x = sliceable(g);
    const axis = axisOf(g, x);
    const dim = x.shape[axis]!;
    const ends: readonly Dim[] = typeof dim === "number" ? [dim, -1, 2] : [2 ** 31 - 1, -1, BATCH, 1];
    const attributes = { starts: [g.whole(0, 1)], ends: [g.one(ends)], axes: [axis] };
    const isBack = typeof dim === "number" && g.chance(0.3);
    return {
      inputs: [x],
      attributes: isBack ? { starts: [-1], ends: [-9], axes: [axis], steps: [-1] } : attributes,
    };
  },
  Softmax: overLastAxis,
  Softplus: unary,
  Split(g) {
    const x = sliceable(g);
    return { inputs: [x], attributes: { axis: axisOf(g, x) }, outputs: g.one([1, 2, 2, 3]) };
  },
  Sqrt: unary,
  Squeeze(g) {
    const x = g.value(({ shape }) => shape.includes(1));
    const axes = x.shape.flatMap((dim, i) => (dim === 1 ? [i] : []));
    return { inputs: [x], attributes: { axes: g.chance(0.5) ? axes : [g.one(axes)] } };
  },
  Sub: binary,
  Tanh: unary,
  Transpose(g) {
    const x = g.value((value) => rankOf(value) > 1);
    const perm = g.shuffle(x.shape.map((_, i) => i));
    return { inputs: [x], attributes: { perm } };
  },
  Unsqueeze(g) {
    const x = g.value((value) => rankOf(value) < 4);
    return { inputs: [x], attributes: { axes: [g.whole(0, rankOf(x))] } };
  },
} satisfies Partial<Record<keyof typeof registry, Make>>;

/** What layer normalization reads. */
function normalized(g: Growing): Candidate {
  const x = g.value((value) => rankOf(value) > 0);
  const axis = axisOf(g, x);
  const row = x.shape.slice(axis);
  const isKnown = row.every((dim) => typeof dim === "number");
  const plain = { kind: "plain", shape: row as number[] } as const;
  const scale = isKnown && g.chance(0.8) ? plain : g.value(({ shape }) => `${shape}` === `${row}`);
  const bias: Constant[] = isKnown && g.chance(0.5) ? [plain] : [];
  return { inputs: [x, scale, ...bias], attributes: { axis } };
}

/** Codes of a value, or what those stand for. */
function quantized(g: Growing, isReal: boolean): Candidate {
  const coded = g.code(g.value());
  const zeroPoint = coded.range!.dtype;
  const parameters = [
    { name: coded.scale, dtype: "f32", shape: [] },
    { name: coded.zeroPoint!, dtype: zeroPoint, shape: [] },
  ] as const;
  if (isReal) return { inputs: [{ name: coded.codes, dtype: zeroPoint, shape: coded.shape }, ...parameters] };
  return { inputs: [g.value(), ...parameters] };
}

export type MadeOp = keyof typeof makers;
export const madeOps = Object.keys(makers) as MadeOp[];

export interface RowGraph {
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly rows: number;
}

/** Adds a node of an op if one fits, tried some times: the names of its outputs. */
export function grow(g: Growing, op: MadeOp): readonly string[] | undefined {
  for (let attempt = 0; attempt < 8; attempt++) {
    try {
      const isInteger = "lowerInteger" in registry[op] && !op.endsWith("Linear") && g.chance(0.4);
      return g.add(op, makers[op](g), isInteger).map(({ name }) => name);
    } catch (error) {
      if (!(error instanceof Misfit || error instanceof OctetteError)) throw error;
    }
  }
  return undefined;
}

/** Shapes of what is fed, and of what may be fed beside it. */
const shapes = (g: Growing): readonly (readonly Shape[])[] => {
  const [a, b, c] = [0, 1, 2].map(() => g.whole(1, 4)) as [number, number, number];
  return [
    [[BATCH, a], [BATCH, a, b], [BATCH, a, b, c], [BATCH]],
    [[a], [1, a], [], [BATCH, 1], [BATCH, a], [BATCH, 1, a], [a, BATCH]],
  ];
};

/** The graph of a seed, with a node of `op` among its few; undefined where none came to be. */
export function rowGraph(seed: number, op: MadeOp = opOfSeed(seed)): RowGraph | undefined {
  const g = new Growing(seed);
  const [first, second] = shapes(g);
  g.feed(g.one(first!));
  if (g.chance(0.4)) g.feed(g.one(second!));
  if (g.chance(0.15)) g.feed(g.one<Shape>([[BATCH], [BATCH, 2], [2]]), "i32");
  for (let more = g.whole(0, 2); more > 0; more--) grow(g, g.one(madeOps));
  const made = grow(g, op);
  if (!made) return undefined;
  for (let more = g.whole(0, 2); more > 0; more--) grow(g, g.one(madeOps));
  const outputs = new Set([g.computed.at(-1)!.name, ...(g.chance(0.5) ? [g.one(made)] : [])]);
  const graph = removeDead(g.build(...outputs));
  const rows = g.whole(4, 7);
  return { graph, rows, feeds: feedsOf(g, graph, rows) };
}

/** Every op in its turn. */
export const opOfSeed = (seed: number): MadeOp => madeOps[seed % madeOps.length]!;

/** Feeds for so many rows: floats, or integers some of which are no index. */
export function feedsOf(g: Growing, graph: Graph, rows: number): Record<string, Tensor> {
  const fed = graph.inputs.map(({ name, dtype, shape }) => {
    const actual = shape.map((dim) => (dim === BATCH ? rows : (dim as number)));
    const number = () => (dtype === "i32" ? g.whole(-1, 3) : g.random.between(-2, 2));
    return [name, tensor(dtype, actual, Array.from({ length: sizeOf(actual) }, number))] as const;
  });
  return Object.fromEntries(fed);
}

/** Makes the graph of a seed and runs it in every way; undefined where there is none. Throws where a result is another one. */
export function checkSeed(seed: number, create: CreateModel): (RowGraph & { outcome: Outcome }) | undefined {
  const made = rowGraph(seed);
  if (!made) return undefined;
  try {
    return { ...made, outcome: checkCuts(made.graph, made.feeds, made.rows, create) };
  } catch (cause) {
    throw new Error(`seed ${seed}: ${(cause as Error).message}`, { cause });
  }
}
