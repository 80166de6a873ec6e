// A scalar evaluator of graphs with states, in f32 with sums in float64: what the builder's graphs mean, without any kernel.

import type { Graph, Node } from "../../src/graph/graph";
import { type Bindings, evaluateDim, evaluateShape } from "../../src/graph/symbols";
import { allocate, sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { operators } from "../reference";
import type { Operator } from "../reference/node";

const number = (node: Node, name: string, otherwise = 0): number =>
  (node.attributes[name] as number | undefined) ?? otherwise;
const positionOf = (node: Node, bindings: Bindings): number =>
  evaluateDim((node.attributes.position as readonly string[])[0]!, bindings);

function softmax(scores: number[]): number[] {
  const most = Math.max(...scores);
  const powers = scores.map((score) => (score === -Infinity ? 0 : Math.exp(score - most)));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

const own: Readonly<Record<string, Operator>> = {
  Softplus: (_, [x]) =>
    tensor(
      "f32",
      x!.shape,
      Array.from(x!.data, (v) => Math.log1p(Math.exp(v))),
    ),

  Elu: (_, [x]) =>
    tensor(
      "f32",
      x!.shape,
      Array.from(x!.data, (v) => (v > 0 ? v : Math.expm1(v))),
    ),

  RMSNormalization(node, [x, scale]) {
    const cols = x!.shape.at(-1)!;
    const y = new Float32Array(x!.data.length);
    for (let r = 0; r < y.length; r += cols) {
      const row = Array.from(x!.data.subarray(r, r + cols));
      const mean = row.reduce((sum, v) => sum + v * v, 0) / cols;
      for (let c = 0; c < cols; c++)
        y[r + c] = (row[c]! / Math.sqrt(mean + number(node, "epsilon", 1e-5))) * scale!.data[c]!;
    }
    return { dtype: "f32", shape: x!.shape, data: y };
  },

  RotaryAngles(node, [inverse], bindings) {
    const count = evaluateDim((node.attributes.tokens as readonly string[])[0]!, bindings);
    const first = positionOf(node, bindings);
    const half = inverse!.data.length;
    const angles = Array.from({ length: count * half }, (_, i) =>
      Math.fround((first + Math.floor(i / half)) * inverse!.data[i % half]!),
    );
    const scale = number(node, "scale", 1);
    const of = (f: (x: number) => number) =>
      tensor(
        "f32",
        [1, count, half],
        angles.map((a) => f(a) * scale),
      );
    return [of(Math.cos), of(Math.sin)];
  },

  RotaryEmbedding(node, [x, cos, sin]) {
    const [batch, tokens, width] = x!.shape as [number, number, number];
    const heads = number(node, "num_heads");
    const size = width / heads;
    const half = cos!.shape.at(-1)!;
    const y = Float32Array.from(x!.data);
    const isInterleaved = number(node, "interleaved") === 1;
    for (let row = 0; row < batch * tokens; row++)
      for (let h = 0; h < heads; h++)
        for (let i = 0; i < half; i++) {
          const at = row * width + h * size;
          const [a, b] = isInterleaved ? [at + 2 * i, at + 2 * i + 1] : [at + i, at + i + half];
          const [c, s] = [
            cos!.data[(row % (cos!.data.length / half)) * half + i]!,
            sin!.data[(row % (cos!.data.length / half)) * half + i]!,
          ];
          y[a] = x!.data[a]! * c - x!.data[b]! * s;
          y[b] = x!.data[b]! * c + x!.data[a]! * s;
        }
    return { dtype: "f32", shape: x!.shape, data: y };
  },

  CachedAttention(node, [q, k, v, keys, values, bias], bindings) {
    const [, tokens, width] = q!.shape as [number, number, number];
    const [heads, kvHeads] = [number(node, "num_heads"), number(node, "kv_num_heads")];
    const [size, window, cap, scale] = [
      width / heads,
      number(node, "window"),
      number(node, "softcap"),
      number(node, "scale"),
    ];
    const first = positionOf(node, bindings);
    const slots = keys!.shape[0]!;
    const dv = v!.shape[2]! / kvHeads;
    for (let t = 0; t < tokens; t++)
      for (const [state, x] of [
        [keys!, k!],
        [values!, v!],
      ] as const) {
        const cols = state.shape[1]!;
        state.data.set(x.data.subarray(t * cols, (t + 1) * cols), ((first + t) % slots) * cols);
      }
    const y = new Float32Array(tokens * heads * dv);
    for (let t = 0; t < tokens; t++)
      for (let h = 0; h < heads; h++) {
        const g = Math.floor(h / (heads / kvHeads));
        const last = first + t;
        const from = window > 0 ? Math.max(0, last - window + 1) : 0;
        const scores: number[] = [];
        for (let p = from; p <= last; p++) {
          let sum = 0;
          for (let i = 0; i < size; i++)
            sum +=
              q!.data[t * width + h * size + i]! * keys!.data[(p % slots) * kvHeads * size + g * size + i]!;
          const score = cap > 0 ? cap * Math.tanh((sum * scale) / cap) : sum * scale;
          scores.push(score + (bias ? bias.data[h * bias.shape[1]! + p]! : 0));
        }
        const weights = softmax(scores);
        for (let i = 0; i < dv; i++)
          y[(t * heads + h) * dv + i] = weights.reduce(
            (sum, w, j) => sum + w * values!.data[((from + j) % slots) * kvHeads * dv + g * dv + i]!,
            0,
          );
      }
    return { dtype: "f32", shape: [1, tokens, heads * dv], data: y };
  },

  CausalConv(_, [x, weight, bias, state]) {
    const [, tokens, channels] = x!.shape as [number, number, number];
    const kernel = weight!.shape[1]!;
    const all = new Float32Array((kernel - 1 + tokens) * channels);
    all.set(state!.data);
    all.set(x!.data, (kernel - 1) * channels);
    const y = new Float32Array(x!.data.length);
    for (let t = 0; t < tokens; t++)
      for (let c = 0; c < channels; c++) {
        let sum = bias?.data[c] ?? 0;
        for (let k = 0; k < kernel; k++) sum += weight!.data[c * kernel + k]! * all[(t + k) * channels + c]!;
        y[t * channels + c] = sum;
      }
    state!.data.set(all.subarray(tokens * channels));
    return { dtype: "f32", shape: x!.shape, data: y };
  },

  Attention(node, [q, k, v, mask, , , lengths]) {
    const [batch, tokens, width] = q!.shape as [number, number, number];
    const [heads, kvHeads] = [number(node, "q_num_heads"), number(node, "kv_num_heads")];
    const size = width / heads;
    const scale = number(node, "scale", 1 / Math.sqrt(size));
    const kvWidth = kvHeads * size;
    const y = new Float32Array(q!.data.length);
    for (let b = 0; b < batch; b++)
      for (let t = 0; t < tokens; t++)
        for (let h = 0; h < heads; h++) {
          const g = Math.floor(h / (heads / kvHeads));
          const scores = Array.from({ length: tokens }, (_, p) => {
            if (lengths && p >= lengths.data[b]!) return -Infinity;
            if (number(node, "is_causal") !== 0 && p > t) return -Infinity;
            let sum = 0;
            for (let i = 0; i < size; i++)
              sum +=
                q!.data[(b * tokens + t) * width + h * size + i]! *
                k!.data[(b * tokens + p) * kvWidth + g * size + i]!;
            const cap = number(node, "softcap");
            return (
              (cap > 0 ? cap * Math.tanh((sum * scale) / cap) : sum * scale) +
              (mask?.data[
                (mask.shape.length === 4 ? ((b % mask.shape[0]!) * heads + h) * tokens * tokens : 0) +
                  t * tokens +
                  p
              ] ?? 0)
            );
          });
          const weights = softmax(scores);
          for (let i = 0; i < size; i++)
            y[(b * tokens + t) * width + h * size + i] = weights.reduce(
              (sum, w, p) => sum + w * v!.data[(b * tokens + p) * kvWidth + g * size + i]!,
              0,
            );
        }
    return { dtype: "f32", shape: q!.shape, data: y };
  },
};

/** States of a graph, zeros at first. */
export const statesOf = (graph: Graph): Map<string, Tensor> =>
  new Map(
    (graph.states ?? []).map(({ name, dtype, shape }) => {
      const sizes = evaluateShape(shape, {});
      return [name, { dtype, shape: sizes, data: allocate(dtype, sizeOf(sizes)) }];
    }),
  );

/** Every value of a graph; states are read and written. */
export function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  states: ReadonlyMap<string, Tensor>,
  symbols: Bindings,
): Map<string, Tensor> {
  const bindings: Record<string, number> = { ...symbols };
  for (const { name, shape } of graph.inputs)
    shape.forEach((dim, d) => {
      if (typeof dim === "string") bindings[dim] = feeds[name]!.shape[d]!;
    });
  const values = new Map<string, Tensor>([...graph.constants, ...states, ...Object.entries(feeds)]);
  for (const node of graph.nodes) {
    const operator = own[node.op] ?? operators[node.op];
    if (!operator) throw new Error(`no operator ${node.op}`);
    const bound = { ...node, attributes: boundAttributes(node, bindings) };
    const inputs = node.inputs.map((name) => {
      if (name !== "" && !values.has(name)) throw new Error(`${node.name}: no value ${name}`);
      return values.get(name);
    });
    const result = operator(bound, inputs, bindings);
    const outputs = "dtype" in result ? [result] : result;
    node.outputs.forEach((name, i) => void values.set(name, outputs[i]!));
  }
  return values;
}

/** Attributes with numbers in place of symbols. */
const boundAttributes = (node: Node, bindings: Bindings): Node["attributes"] =>
  Object.fromEntries(
    Object.entries(node.attributes).map(([name, value]) =>
      Array.isArray(value) && ["starts", "ends", "shape", "position", "tokens"].includes(name)
        ? [name, value.map((dim) => evaluateDim(dim, bindings))]
        : [name, value],
    ),
  );
