// Attention of one query over keys and values, step by step in f32 in the order that docs/numerics.md states.

const { fround: f } = Math;

/** To the nearest integer, half to even. */
const rne = (x: number): number => {
  const rest = x - Math.floor(x);
  if (rest !== 0.5) return Math.round(x);
  return 2 * Math.round(x / 2);
};

/** 2^k in f32 for whole k in −126..127. */
const pow2 = (k: number): number => 2 ** k;

/** e^x: Cephes' expf, rounded step by step. */
export function exp(given: number): number {
  const x = Math.min(Math.max(given, -104), 89);
  if (Number.isNaN(x)) return x;
  const k = rne(f(x * f(Math.LOG2E)));
  let r = f(x - f(k * f(0.693359375)));
  r = f(r - f(k * f(-2.1219444e-4)));
  const p = [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1].reduce(
    (sum, c) => f(f(sum * r) + f(c)),
    f(1.98756915e-4),
  );
  const e = f(1 + f(f(p * f(r * r)) + r));
  const half = Math.floor(k / 2);
  return f(f(e * pow2(half)) * pow2(k - half));
}

/** tanh x: Cephes' tanhf, rounded step by step. */
export function tanh(x: number): number {
  const size = Math.abs(x);
  if (size >= 0.625) return Math.sign(x) * f(1 - f(2 / f(exp(f(size + size)) + 1)));
  const z = f(x * x);
  const p = [2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1].reduce(
    (sum, c) => f(f(sum * z) + f(c)),
    f(-5.70498872745e-3),
  );
  return f(f(f(p * z) * x) + x);
}

/** Lane i mod 4 adds the numbers i, i + 4, …, then (l0 + l2) + (l1 + l3). */
export function laneSum(values: ArrayLike<number>): number {
  const lane = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i++) lane[i % 4] = f(lane[i % 4]! + values[i]!);
  return f(f(lane[0]! + lane[2]!) + f(lane[1]! + lane[3]!));
}

type Numbers = ArrayLike<number>;

/** A query and what it sees: key and value j, for from ≤ j < to. */
export interface Query {
  readonly q: Numbers;
  readonly key: (j: number) => Numbers;
  readonly value: (j: number) => Numbers;
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly softcap: number;
  /** Added to the score of key j. */
  readonly bias?: (j: number) => number;
}

/** Score of key j before anything is done to it. */
const scoreOf = ({ q, key, scale }: Query, j: number): number =>
  f(laneSum(Array.from(q, (x, i) => f(x * key(j)[i]!))) * f(scale));

const capped = (x: number, softcap: number): number =>
  softcap ? f(f(softcap) * tanh(f(x / f(softcap)))) : x;

/** e^(score − largest) of every key that is seen, at its own index, their sum, and the scores before that. */
function shares(query: Query, count: number, scores: (j: number) => number) {
  const { from, to, bias, softcap } = query;
  const isSeen = (j: number) => j >= from && j < to;
  const plain = Array.from({ length: count }, (_, j) => scores(j));
  const inCap = plain.map((x) => capped(x, softcap));
  const masked = inCap.map((x, j) => {
    if (!isSeen(j)) return -Infinity;
    const added = bias ? bias(j) : 0;
    return added === -Infinity ? added : f(x + added);
  });
  const largest = masked.reduce((a, b) => Math.max(a, b), -Infinity);
  const e = masked.map((x) => {
    const below = f(x - (largest === -Infinity ? 0 : largest));
    return below < -87 ? 0 : exp(below);
  });
  const sum = laneSum(e) || 1;
  return { e, sum, outputs: [plain, inCap, masked, e.map((x) => f(x / sum))] };
}

/**
 * Σ_j e[j]·v[j] / Σ_j e[j], j ascending; and of `count` keys the scores as they come (mode 0), capped (1), masked (2), or as parts of 1
 * (3).
 */
export function attend(query: Query, size: number, mode?: number, count?: number) {
  const { from, to, value } = query;
  const { e, sum, outputs } = shares(query, mode === undefined ? to : count!, (j) =>
    mode === undefined && j < from ? 0 : scoreOf(query, j),
  );
  const y = Array.from({ length: size }, (_, c) => {
    let total = 0;
    for (let j = from; j < to; j++) total = f(total + f(e[j]! * value(j)[c]!));
    return f(total / sum);
  });
  return { y, output: mode === undefined ? [] : outputs[mode]! };
}

/** Symmetric codes of some numbers, −127..127, and their scale: 1 where that would be no normal number. */
export function codesOf(x: Numbers): { codes: number[]; scale: number } {
  const found = f(Array.from(x).reduce((most, v) => Math.max(most, Math.abs(v)), 0) / 127);
  const scale = found < 2 ** -126 ? 1 : found;
  return { codes: Array.from(x, (v) => rne(f(v / scale))), scale };
}

/** Codes of keys and values, with the scales of both. */
export interface CodedQuery extends Query {
  readonly keyScale: (j: number) => number;
  readonly valueScale: (j: number) => number;
}

const TILE = 32;

/**
 * Scores f32(Σ q·k)·(f32(s_q·scale)·s_k); shares e·s_v as u = rne(share·(127 / t)), t the largest of the tile, key 0 apart; values
 * Σ_tiles f32(Σ u·v)·(t / 127), tiles at multiples of 32, ascending.
 */
export function attendInt8(query: CodedQuery, size: number): number[] {
  const { from, to, key, value, keyScale, valueScale } = query;
  const { codes, scale } = codesOf(query.q);
  const { e, sum } = shares(query, to, (j) => {
    const exact = codes.reduce((total, x, i) => total + x * key(j)[i]!, 0);
    return f(f(exact) * f(f(scale * f(query.scale)) * keyScale(j)));
  });
  const w = e.map((x, j) => (j < from ? 0 : f(x * valueScale(j))));
  return Array.from({ length: size }, (_, c) => {
    let total = from === 0 ? f(w[0]! * value(0)[c]!) : 0;
    for (let tile = from - (from % TILE); tile < to; tile += TILE) {
      const own = Array.from({ length: Math.min(TILE, to - tile) }, (_, i) => tile + i);
      const inTile = own.filter((j) => j >= Math.max(1, from));
      const largest = inTile.reduce((most, j) => Math.max(most, w[j]!), 0);
      const isNone = largest < 2 ** -119;
      const factor = isNone ? 0 : f(127 / largest);
      const exact = inTile.reduce((sum, j) => sum + rne(f(w[j]! * factor)) * value(j)[c]!, 0);
      total = f(total + f(f(exact) * (isNone ? 0 : f(largest / 127))));
    }
    return f(total / sum);
  });
}
