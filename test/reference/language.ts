// Operators of the group language: float64 throughout and rounded once where nothing else is said. A state is a tensor that its
// operator writes to.

import { evaluateDim } from "../../src/graph/symbols";
import { sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { attend, attendInt8, codesOf } from "./attention";
import { axisOf, dimsAttribute, fail, need, numberAttribute, type Operator, realAttribute } from "./node";

const { fround } = Math;

/** x / √(mean x² + epsilon) · scale, rows of the axes from `axis` on. */
const rmsNormalization: Operator = (node, inputs) => {
  const [x, scale] = [need(node, inputs, 0), need(node, inputs, 1).data];
  const axis = axisOf(node, numberAttribute(node, "axis", -1), x.shape.length);
  const epsilon = realAttribute(node, "epsilon", 1e-5);
  const cols = sizeOf(x.shape.slice(axis));
  const y = Array.from(x.data, (value, i) => {
    const row = x.data.subarray(i - (i % cols), i - (i % cols) + cols);
    const square = Array.from(row).reduce((sum, v) => sum + v * v, 0) / cols;
    return (value / Math.sqrt(square + epsilon)) * scale[i % cols]!;
  });
  return tensor("f32", x.shape, y);
};

/** Of the pair (a, b) of head h, token t, batch n: (c·a − s·b, s·a + c·b). */
const rotaryEmbedding: Operator = (node, inputs) => {
  const [x, cos, sin] = [0, 1, 2].map((i) => need(node, inputs, i)) as [Tensor, Tensor, Tensor];
  const positions = inputs[3];
  const isFlat = x.shape.length === 3;
  const [batch = 0, heads = 0, tokens = 0, size = 0] = isFlat
    ? [
        x.shape[0],
        numberAttribute(node, "num_heads", 0),
        x.shape[1],
        x.shape[2]! / numberAttribute(node, "num_heads", 0),
      ]
    : x.shape;
  const half = (numberAttribute(node, "rotary_embedding_dim", 0) || size) / 2;
  const y = Array.from(x.data);
  for (let n = 0; n < batch; n++)
    for (let h = 0; h < heads; h++)
      for (let t = 0; t < tokens; t++) {
        const start = (isFlat ? (n * tokens + t) * heads + h : (n * heads + h) * tokens + t) * size;
        const own = (of: Tensor) => (of.shape[0] === 1 ? 0 : n) * tokens + t;
        const row = positions ? positions.data[own(positions)]! : own(cos);
        for (let i = 0; i < half; i++) {
          const [a, b] = numberAttribute(node, "interleaved", 0) ? [2 * i, 2 * i + 1] : [i, half + i];
          const [c, s] = [cos.data[row * half + i]!, sin.data[row * half + i]!];
          const [p, q] = [x.data[start + a]!, x.data[start + b]!];
          y[start + a] = fround(fround(c * p) - fround(s * q));
          y[start + b] = fround(fround(s * p) + fround(c * q));
        }
      }
  return tensor("f32", x.shape, y);
};

/** cos and sin of (position + t)·f, the product in f32, times scale. */
const rotaryAngles: Operator = (node, inputs, bindings) => {
  const { data } = need(node, inputs, 0);
  const [position, tokens] = ["position", "tokens"].map((name) =>
    evaluateDim(dimsAttribute(node, name)?.[0] ?? fail(node, `no ${name}`), bindings),
  ) as [number, number];
  const scale = realAttribute(node, "scale", 1);
  const angles = Array.from({ length: tokens }, (_, t) =>
    Array.from(data, (f) => fround(fround(position + t) * f)),
  ).flat();
  const shape = [1, tokens, data.length];
  return [Math.cos, Math.sin].map((of) =>
    tensor(
      "f32",
      shape,
      angles.map((x) => scale * of(x)),
    ),
  );
};

/** Σ_j w[c][j]·x[t + j − (taps − 1)][c] + bias[c], j ascending, each step in f32; the state is the tokens before. */
const causalConv: Operator = (node, inputs) => {
  const [x, w, state] = [0, 1, 3].map((i) => need(node, inputs, i)) as [Tensor, Tensor, Tensor];
  const bias = inputs[2]?.data;
  const [channels = 0, taps = 0] = w.shape;
  const all = [...state.data, ...x.data];
  const y = Array.from(x.data, (_, i) => {
    const c = i % channels;
    let sum = 0;
    for (let j = 0; j < taps; j++) {
      const product = fround(w.data[c * taps + j]! * all[i + j * channels]!);
      sum = j === 0 ? product : fround(sum + product);
    }
    return bias ? fround(sum + bias[c]!) : sum;
  });
  state.data.set(all.slice(all.length - state.data.length));
  return tensor("f32", x.shape, y);
};

/** Tokens written to states, then each query over those that it sees: in f32, in the order of attention.ts. */
const cachedAttention: Operator = (node, inputs, bindings) => {
  const [q, k, v, ...states] = inputs.map((_, i) => need(node, inputs, i)) as [
    Tensor,
    Tensor,
    Tensor,
    ...Tensor[],
  ];
  const isCoded = states.length > 3;
  const bias = states[isCoded ? 4 : 2];
  const [keys, keyScales, values, valueScales] = (
    isCoded ? states : [states[0]!, states[0]!, states[1]!, states[1]!]
  ) as [Tensor, Tensor, Tensor, Tensor];
  const heads = numberAttribute(node, "num_heads", 0);
  const groups = numberAttribute(node, "kv_num_heads", heads);
  const window = numberAttribute(node, "window", 0);
  const position = evaluateDim(dimsAttribute(node, "position")![0]!, bindings);
  const [, tokens = 0] = q.shape;
  const [size, valueSize] = [q.shape[2]! / heads, v.shape[2]! / groups];
  const length = keys.shape[0]!;
  for (const [state, scales, x, each] of [
    [keys, keyScales, k, size],
    [values, valueScales, v, valueSize],
  ] as const)
    for (let r = 0; r < tokens * groups; r++) {
      const row = x.data.subarray(r * each, (r + 1) * each);
      const at = ((position + Math.floor(r / groups)) % length) * groups + (r % groups);
      const { codes, scale } = codesOf(row);
      state.data.set(isCoded ? codes : row, at * each);
      if (isCoded) scales.data[at] = scale;
    }
  const rows = Array.from({ length: tokens * heads }, (_, i) => {
    const [t, h] = [Math.floor(i / heads), i % heads];
    const place = (j: number) => (j % length) * groups + Math.floor(h / (heads / groups));
    const row = (of: Tensor, each: number) => (j: number) =>
      of.data.subarray(place(j) * each, (place(j) + 1) * each);
    const to = position + t + 1;
    const query = {
      q: q.data.subarray(i * size, (i + 1) * size),
      key: row(keys, size),
      value: row(values, valueSize),
      keyScale: (j: number) => keyScales.data[place(j)]!,
      valueScale: (j: number) => valueScales.data[place(j)]!,
      from: window ? Math.max(0, to - window) : 0,
      to,
      scale: realAttribute(node, "scale", 1 / Math.sqrt(size)),
      softcap: realAttribute(node, "softcap", 0),
      ...(bias && { bias: (j: number) => bias.data[h * bias.shape[1]! + j]! }),
    };
    return isCoded ? attendInt8(query, valueSize) : attend(query, valueSize).y;
  });
  return tensor("f32", [1, tokens, heads * valueSize], rows.flat());
};

/** Attention of ONNX: every query by itself, over keys [batch, groups, tokens, size] of all tokens. */
const attention: Operator = (node, inputs) => {
  const [q, k, v] = [0, 1, 2].map((i) => need(node, inputs, i)) as [Tensor, Tensor, Tensor];
  const [, , , mask, pastKeys, pastValues, lengths] = inputs;
  const isFlat = q.shape.length === 3;
  const heads = isFlat ? numberAttribute(node, "q_num_heads", 0) : q.shape[1]!;
  const groups = isFlat ? numberAttribute(node, "kv_num_heads", heads) : k.shape[1]!;
  const [batch = 0] = q.shape;
  const tokens = q.shape.at(-2)!;
  const past = pastKeys?.shape[2] ?? 0;
  const keys = past + k.shape.at(-2)!;
  const all = (own: Tensor, before: Tensor | undefined) => {
    const size = own.shape.at(-1)! / (isFlat ? groups : 1);
    const count = keys - past;
    const data = Array.from({ length: batch * groups * keys * size }, (_, i) => {
      const [d, j, g, b] = [
        i % size,
        Math.floor(i / size) % keys,
        Math.floor(i / size / keys) % groups,
        Math.floor(i / size / keys / groups),
      ];
      if (j < past) return before!.data[((b * groups + g) * past + j) * size + d]!;
      const row = isFlat ? (b * count + j - past) * groups + g : (b * groups + g) * count + j - past;
      return own.data[row * size + d]!;
    });
    return tensor("f32", [batch, groups, keys, size], data);
  };
  const [allKeys, allValues] = [all(k, pastKeys), all(v, pastValues)];
  const [size, valueSize] = [allKeys.shape[3]!, allValues.shape[3]!];
  const rowOf = (of: Tensor, b: number, h: number) => (j: number) => {
    const at = ((b * groups + Math.floor(h / (heads / groups))) * keys + j) * of.shape[3]!;
    return of.data.subarray(at, at + of.shape[3]!);
  };
  const [left, right] = [
    numberAttribute(node, "left_window_size", -1),
    numberAttribute(node, "is_causal", 0) ? 0 : numberAttribute(node, "right_window_size", -1),
  ];
  const maskShape = mask && [...Array(4 - mask.shape.length).fill(1), ...mask.shape];
  const y = tensor(
    "f32",
    isFlat ? [batch, tokens, heads * valueSize] : [batch, heads, tokens, valueSize],
    [],
  );
  const scores = tensor("f32", [batch, heads, tokens, keys], []);
  for (let r = 0; r < batch * heads * tokens; r++) {
    const [t, h, b] = [r % tokens, Math.floor(r / tokens) % heads, Math.floor(r / tokens / heads)];
    const most = lengths ? Math.max(0, Math.min(keys, lengths.data[b]!)) : keys;
    const at = t + (lengths ? most - tokens : past);
    const to = Math.max(0, right < 0 ? most : Math.min(most, at + right + 1));
    const place = isFlat ? (b * tokens + t) * heads + h : r;
    const bias = (j: number) => {
      const [mb, mh, mt, mk] = maskShape as [number, number, number, number];
      if (j >= mk) return -Infinity;
      const row = ((mb === 1 ? 0 : b) * mh + (mh === 1 ? 0 : h)) * mt + (mt === 1 ? 0 : t);
      const value = mask!.data[row * mk + j]!;
      if (mask!.dtype === "f32") return value;
      return value ? 0 : -Infinity;
    };
    const query = {
      q: q.data.subarray(place * size, (place + 1) * size),
      key: rowOf(allKeys, b, h),
      value: rowOf(allValues, b, h),
      from: left < 0 ? 0 : Math.min(to, Math.max(0, at - left)),
      to,
      scale: realAttribute(node, "scale", 1 / Math.sqrt(size)),
      softcap: realAttribute(node, "softcap", 0),
      ...(mask && { bias }),
    };
    const { y: own, output } = attend(
      query,
      valueSize,
      numberAttribute(node, "qk_matmul_output_mode", 0),
      keys,
    );
    y.data.set(own, place * valueSize);
    scores.data.set(output, r * keys);
  }
  return [y, allKeys, allValues, scores];
};

export const languageOperators: Readonly<Record<string, Operator>> = {
  RMSNormalization: rmsNormalization,
  RotaryEmbedding: rotaryEmbedding,
  RotaryAngles: rotaryAngles,
  Attention: attention,
  CachedAttention: cachedAttention,
  CausalConv: causalConv,
};
