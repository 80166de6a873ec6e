// LSTM, GRU and RNN in float64, step by step, as ONNX writes them.

import { rne } from "../../../src/ops/codes";
import type { Forward, Real } from "../../reference/oracle";

const { fround, max, min } = Math;

type F = (x: number) => number;

/** Functions of ONNX's names, some of which take numbers. */
const functions: Readonly<Record<string, (alpha: number, beta: number) => F>> = {
  Affine: (a, b) => (x) => a * x + b,
  Elu: (a) => (x) => (x < 0 ? a * Math.expm1(x) : x),
  HardSigmoid: (a, b) => (x) => Math.min(1, Math.max(0, a * x + b)),
  LeakyRelu: (a) => (x) => (x < 0 ? a * x : x),
  Relu: () => (x) => Math.max(0, x),
  ScaledTanh: (a, b) => (x) => a * Math.tanh(b * x),
  Sigmoid: () => (x) => 1 / (1 + Math.exp(-x)),
  Softplus: () => (x) => Math.log1p(Math.exp(x)),
  Softsign: () => (x) => x / (1 + Math.abs(x)),
  Tanh: () => Math.tanh,
  ThresholdedRelu: (a) => (x) => (x > a ? x : 0),
};
const usual: Readonly<Record<string, readonly [alpha?: number, beta?: number]>> = {
  Affine: [Number.NaN, Number.NaN],
  Elu: [1],
  HardSigmoid: [0.2, 0.5],
  LeakyRelu: [0.01],
  ScaledTanh: [Number.NaN, Number.NaN],
  ThresholdedRelu: [Number.NaN],
};

/** One row of one direction: its new state, of x·Wᵀ + Wb, the product with R and Rb, and the states before. */
type Step = (at: {
  readonly x: readonly number[];
  /** R[rows of gate]·v + Rb[gate], of gate number `gate`. */
  readonly product: (gate: number, v: readonly number[]) => number[];
  readonly h: readonly number[];
  readonly c: readonly number[];
  readonly p: readonly number[];
  readonly f: readonly F[];
  readonly flag: boolean;
  /** Of c. */
  readonly most: number;
}) => { readonly h: number[]; readonly c?: number[] };

const lstmStep: Step = ({ x, product, h, c, p, f: [f, g, last], flag, most }) => {
  const n = h.length;
  const [pi, po, pf, pc] = [0, 1, 2, 3].map((gate) => product(gate, h).map((v, j) => v + x[gate * n + j]!));
  const own = (gate: number, j: number) => p[gate * n + j] ?? 0;
  const i = pi!.map((v, j) => f!(v + own(0, j) * c[j]!));
  const forget = pf!.map((v, j) => (flag ? 1 - i[j]! : f!(v + own(2, j) * c[j]!)));
  const after = c.map((v, j) => Math.max(-most, Math.min(most, forget[j]! * v + i[j]! * g!(pc![j]!))));
  const o = po!.map((v, j) => f!(v + own(1, j) * after[j]!));
  return { h: o.map((v, j) => v * last!(after[j]!)), c: after };
};

const gruStep: Step = ({ x, product, h, f: [f, g], flag }) => {
  const n = h.length;
  const [u, r] = [0, 1].map((gate) => product(gate, h).map((v, j) => f!(v + x[gate * n + j]!)));
  const inner = flag
    ? product(2, h).map((v, j) => r![j]! * v)
    : product(
        2,
        h.map((v, j) => r![j]! * v),
      );
  const next = inner.map((v, j) => g!(v + x[2 * n + j]!));
  return { h: h.map((v, j) => (1 - u![j]!) * next[j]! + u![j]! * v) };
};

const rnnStep: Step = ({ x, product, h, f: [f] }) => ({
  h: product(0, h).map((v, j) => f!(v + x[j]!)),
});

const kinds = {
  LSTM: { gates: 4, step: lstmStep, defaults: ["Sigmoid", "Tanh", "Tanh"], flag: "input_forget" },
  GRU: { gates: 3, step: gruStep, defaults: ["Sigmoid", "Tanh"], flag: "linear_before_reset" },
  RNN: { gates: 1, step: rnnStep, defaults: ["Tanh"], flag: "" },
};

/** Numbers rounded to codes of their own range, as DynamicQuantize does. */
export function rounded(state: readonly number[], of = state): number[] {
  const [lo, hi] = [min(0, ...of.map(fround)), max(0, ...of.map(fround))];
  const scale = fround(fround(hi - lo) / 255) || 1;
  const zero = rne(min(255, max(0, fround(0 - fround(lo / scale)))));
  return state.map((x) => (min(255, max(0, rne(fround(fround(x) / scale)) + zero)) - zero) * scale);
}

/** What a state is when it meets its weights. */
type Round = (state: readonly number[]) => readonly number[];

/** Results of all steps, then the last states. */
export const forward: Forward = (node, inputs) => forwardOf(node, inputs, (state) => state);

/** As `forward`, of states that are rounded before they meet their weights. */
export const forwardOf = (
  { op, attributes }: Parameters<Forward>[0],
  inputs: Parameters<Forward>[1],
  round: Round,
): readonly Real[] => {
  const { gates, step, defaults, flag } = kinds[op as keyof typeof kinds];
  const [x, w, r, b, lengths, h0, ...others] = inputs as readonly [Real, Real, Real, ...(Real | undefined)[]];
  const [c0, p] = op === "LSTM" ? others : [];
  const isBatchFirst = attributes.layout === 1;
  const [outer, inner, depth] = x.shape as [number, number, number];
  const [steps, rows] = isBatchFirst ? [inner, outer] : [outer, inner];
  const hidden = r.shape[2]!;
  const n = gates * hidden;
  const direction = (attributes.direction ?? "forward") as string;
  const reversed = { forward: [false], reverse: [true], bidirectional: [false, true] }[direction]!;
  const count = reversed.length;
  const names = (attributes.activations ?? reversed.flatMap(() => defaults)) as readonly string[];
  const alphas = [...((attributes.activation_alpha ?? []) as number[])];
  const betas = [...((attributes.activation_beta ?? []) as number[])];
  const clip = (attributes.clip as number) || Infinity;
  const most = (attributes.cell_clip as number) || Infinity;
  const all = names.map((name) => {
    const [alpha, beta] = usual[name] ?? [];
    const one = functions[name]!(
      alpha === undefined ? 0 : (alphas.shift() ?? alpha),
      beta === undefined ? 0 : (betas.shift() ?? beta),
    );
    return (v: number) => one(Math.min(clip, Math.max(-clip, v)));
  });
  const y = new Float64Array(steps * rows * count * hidden);
  const states = [0, 1].map(() => new Float64Array(rows * count * hidden));
  for (const [d, isReverse] of reversed.entries()) {
    const f = all.slice(d * defaults.length, (d + 1) * defaults.length);
    // The cell's own function is not clipped.
    if (op === "LSTM") {
      const own = names[d * 3 + 2]!;
      f[2] = clip === Infinity ? f[2]! : functions[own]!(...((usual[own] ?? [0, 0]) as [number, number]));
    }
    for (let row = 0; row < rows; row++) {
      const at = (isBatchFirst ? row * count + d : d * rows + row) * hidden;
      const slice = (value: Real | undefined) =>
        value ? [...value.data.slice(at, at + hidden)] : new Array<number>(hidden).fill(0);
      const length = lengths ? Math.min(steps, lengths.data[row]!) : steps;
      const isEmpty = lengths !== undefined && length === 0;
      let [h, c] = isEmpty ? [slice(undefined), slice(undefined)] : [slice(h0), slice(c0)];
      for (let s = 0; s < length; s++) {
        const t = isReverse ? length - 1 - s : s;
        const from = (isBatchFirst ? row * steps + t : t * rows + row) * depth;
        const projected = Array.from({ length: n }, (_, j) => {
          let sum = b?.data[d * 2 * n + j] ?? 0;
          for (let k = 0; k < depth; k++) sum += x.data[from + k]! * w.data[(d * n + j) * depth + k]!;
          return sum;
        });
        const product = (gate: number, state: readonly number[]) => {
          const v = round(state);
          return Array.from({ length: hidden }, (_, j) => {
            const line = gate * hidden + j;
            let sum = b?.data[d * 2 * n + n + line] ?? 0;
            for (let k = 0; k < hidden; k++) sum += v[k]! * r.data[(d * n + line) * hidden + k]!;
            return sum;
          });
        };
        const peepholes = p ? [...p.data.slice(d * 3 * hidden, (d + 1) * 3 * hidden)] : [];
        const next = step({
          x: projected,
          product,
          h,
          c,
          p: peepholes,
          f,
          flag: attributes[flag] === 1,
          most,
        });
        h = next.h;
        c = next.c ?? c;
        const to = isBatchFirst ? (row * steps + t) * count + d : (t * count + d) * rows + row;
        y.set(h, to * hidden);
      }
      states[0]!.set(h, at);
      states[1]!.set(c, at);
    }
  }
  const state = isBatchFirst ? [rows, count, hidden] : [count, rows, hidden];
  return [
    {
      shape: isBatchFirst ? [rows, steps, count, hidden] : [steps, count, rows, hidden],
      data: y,
    },
    { shape: state, data: states[0]! },
    ...(op === "LSTM" ? [{ shape: state, data: states[1]! }] : []),
  ];
};
