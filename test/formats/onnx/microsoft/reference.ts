// What ONNX Runtime's operators compute, number by number, and models of one such operator.

import { expect } from "vitest";
import { readOnnx } from "../../../../src/formats/onnx/import";
import type { Graph } from "../../../../src/graph/graph";
import { type DType, sizeOf, type Tensor, tensor } from "../../../../src/graph/tensor";
import { toolkitOps } from "../../../../src/ops/toolkit";
import { simplifyImported } from "../../../../src/passes/index";
import { withModel } from "../../../engine/engines";
import { randomOf } from "../../../graph-builder";
import { type FileModel, type FileNode, onnxFile } from "../model-file";

const dataTypes: Readonly<Record<DType, number>> = { f32: 1, u8: 2, i8: 3, i32: 6, bool: 9 };

const { between, below } = randomOf(7);

/** Random floats in ±bound. */
export const floats = (shape: readonly number[], bound = 1): Tensor =>
  tensor(
    "f32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => between(-bound, bound)),
  );

/** Random whole numbers 0 … n − 1, less `from`. */
export const wholes = (dtype: DType, shape: readonly number[], n: number, from = 0): Tensor =>
  tensor(
    dtype,
    shape,
    Array.from({ length: sizeOf(shape) }, () => below(n) - from),
  );

export interface Case {
  readonly op: string;
  /** Feeds and constants by the names of inputs; "" where one is left out. */
  readonly inputs: readonly string[];
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly constants?: FileModel["initializers"];
  readonly attributes?: FileNode["attributes"];
  readonly outputs?: readonly string[];
  readonly domain?: string;
  /** Dimensions of inputs with names, where they are not those of the feeds. */
  readonly shapes?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly more?: readonly FileNode[];
}

/** The graph of a model of one operator. */
export function graphOf(own: Case): Graph {
  const { op, inputs, feeds, constants = {}, attributes = {}, outputs = ["y"], more = [] } = own;
  const { domain = "com.microsoft", shapes = {} } = own;
  const node = { op, domain, inputs, outputs, attributes, name: op.toLowerCase() };
  const file = onnxFile({
    nodes: [node, ...more],
    inputs: Object.entries(feeds).map(([name, { dtype, shape }]) => ({
      name,
      shape: shapes[name] ?? shape,
      type: dataTypes[dtype],
    })),
    outputs: (more.length > 0 ? more.flatMap((last) => last.outputs ?? []) : outputs).filter(Boolean),
    initializers: constants,
  });
  return simplifyImported(readOnnx(file), toolkitOps);
}

/** What a model of one operator gives. */
export const run = (own: Case): Readonly<Record<string, Tensor>> =>
  withModel(graphOf(own), {}, (model) => model.runSync(own.feeds));

/** Checks numbers to 1e-5 of the largest. */
export function expectClose(
  got: Tensor | undefined,
  shape: readonly number[],
  expected: readonly number[],
): void {
  expect(got?.shape).toEqual(shape);
  const largest = Math.max(1e-6, ...expected.map(Math.abs));
  const far = expected.map((value, i) => Math.abs(value - got!.data[i]!) / largest);
  expect(Math.max(0, ...far)).toBeLessThan(1e-5);
}

/** erf by its series and, far out, by its continued fraction. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let [sum, term] = [x, x];
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

export const gelu = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2));
export const geluTanh = (x: number): number =>
  (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** Rows of `n` numbers, each normalized. */
export function normalized(
  x: readonly number[],
  n: number,
  epsilon: number,
  gamma: Tensor,
  beta?: Tensor,
  hasMean = true,
): number[] {
  return x.flatMap((_, at) => {
    if (at % n !== 0) return [];
    const row = x.slice(at, at + n);
    const mean = hasMean ? row.reduce((a, b) => a + b) / n : 0;
    const deviation = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / n + epsilon);
    return row.map((v, i) => ((v - mean) / deviation) * gamma.data[i]! + (beta?.data[i] ?? 0));
  });
}

/** [rows, k] · [k, n], or of [n, k] where `isTurned`. */
export function product(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  k: number,
  n: number,
  isTurned = false,
): number[] {
  const rows = x.length / k;
  return Array.from({ length: rows * n }, (_, at) => {
    const [r, c] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let i = 0; i < k; i++) sum += x[r * k + i]! * w[isTurned ? c * k + i : i * n + c]!;
    return sum;
  });
}

export interface Heads {
  readonly batch: number;
  readonly heads: number;
  readonly groups: number;
  readonly tokens: number;
  readonly keys: number;
  readonly size: number;
}

/** Attention of q [batch, tokens, heads·size] over k and v [batch, groups, keys, size]: [batch, tokens, heads·size]. */
export function attended(
  { batch, heads, groups, tokens, keys, size }: Heads,
  q: ArrayLike<number>,
  k: ArrayLike<number>,
  v: ArrayLike<number>,
  added: (b: number, h: number, t: number, key: number) => number,
  scale = 1 / Math.sqrt(size),
  softcap = 0,
): number[] {
  const y = new Array<number>(batch * tokens * heads * size).fill(0);
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let t = 0; t < tokens; t++) {
        const from = ((b * tokens + t) * heads + h) * size;
        const head = (b * groups + Math.floor((h * groups) / heads)) * keys * size;
        const scores = Array.from({ length: keys }, (_, key) => {
          let sum = 0;
          for (let i = 0; i < size; i++) sum += q[from + i]! * k[head + key * size + i]!;
          sum *= scale;
          return (softcap > 0 ? softcap * Math.tanh(sum / softcap) : sum) + added(b, h, t, key);
        });
        const most = Math.max(...scores);
        const parts = scores.map((score) => Math.exp(score - most));
        const all = parts.reduce((a, c) => a + c);
        for (let i = 0; i < size; i++)
          y[from + i] = parts.reduce((sum, part, key) => sum + (part / all) * v[head + key * size + i]!, 0);
      }
  return y;
}

/** [batch, tokens, heads·size] as [batch, heads, tokens, size]. */
export function headed(x: ArrayLike<number>, tokens: number, heads: number, size: number): number[] {
  return Array.from({ length: x.length }, (_, at) => {
    const [i, t] = [at % size, Math.floor(at / size) % tokens];
    const [h, b] = [Math.floor(at / size / tokens) % heads, Math.floor(at / size / tokens / heads)];
    return x[((b * tokens + t) * heads + h) * size + i]!;
  });
}
