// Attention: softmax(scale·Q·Kᵀ + mask)·V of heads, with keys and values of tokens before, and what each query does not see left out.

import { attentionScratchBytes } from "../../../assembly/language/attention-sizes";
import type { Node, ValueType } from "../../graph/graph";
import { addDims, countOf, type Dim, formatShape, multiplyDims, type Shape } from "../../graph/symbols";
import { emitCopy } from "../copy";
import { mayBeSame, mayEqual, needEqual, needSame } from "../equal";
import {
  type Address,
  type Batched,
  behind,
  floatType,
  type Lowering,
  NONE,
  numberOf,
  type Op,
  opError,
  type Traits,
  type Unit,
} from "../op";
import { headsIn, headsOf } from "./cached-attention";

type Types = readonly (ValueType | undefined)[];

/** Sizes of a node. */
interface Sizes {
  readonly batch: Dim;
  readonly heads: number;
  readonly groups: number;
  readonly tokens: Dim;
  /** Tokens of K and V, and those before them. */
  readonly own: Dim;
  readonly past: Dim;
  readonly size: number;
  readonly valueSize: number;
  /** Whether operands are [batch, tokens, heads·size], not [batch, heads, tokens, size]. */
  readonly isFlat: boolean;
  /** Those that have to be equal. */
  readonly equal: readonly [Shape, Shape];
}

/** [batch, heads, tokens, size] of an operand; undefined where it is not that of so many heads. */
function headed(shape: Shape, heads: number, isFlat: boolean): Shape | undefined {
  const last = shape.at(-1);
  if (shape.length !== (isFlat ? 3 : 4) || typeof last !== "number" || last === 0) return undefined;
  if (!isFlat) return shape[1] === heads ? shape : undefined;
  return last % heads === 0 ? [shape[0]!, heads, shape[1]!, last / heads] : undefined;
}

/** Heads of queries, and of keys and values. */
function headCounts(node: Node, q: Shape, k: Shape): { heads: number; groups: number } {
  if (q.length === 3) return headsOf(node, "q_num_heads");
  const [heads, groups] = [Number(q[1]), Number(k[1])];
  if (groups > 0 && heads > 0 && heads % groups === 0) return { heads, groups };
  throw opError(node, "heads do not fit", {
    expected: "heads of input 0 a multiple of those of input 1",
    got: `${q[1]} and ${k[1]}`,
  });
}

function sizesOf(node: Node, inputs: Types): Sizes {
  const [q, k, v] = [0, 1, 2].map((i) => floatType(node, inputs, i).shape) as [Shape, Shape, Shape];
  const isFlat = q.length === 3;
  const { heads, groups } = headCounts(node, q, k);
  const misfit = (i: number, expected: string) =>
    opError(node, `input ${i} does not fit`, { expected, got: formatShape(inputs[i]?.shape ?? []) });
  const [batch, , tokens, size] = headed(q, heads, isFlat) ?? [];
  if (batch === undefined)
    throw misfit(0, `[batch, tokens, ${heads}·size] or [batch, ${heads}, tokens, size]`);
  const own = headed(k, groups, isFlat)?.[2] ?? "tokens";
  const valueSize = headed(v, groups, isFlat)?.[3] ?? "size";
  const past = inputs[4]?.shape[2] ?? 0;
  const expected = [
    [1, [batch, groups, own, size!]],
    [2, [batch, groups, own, valueSize]],
    ...(inputs[4] || inputs[5]
      ? ([
          [4, [batch, groups, past, size!]],
          [5, [batch, groups, past, valueSize]],
        ] as const)
      : []),
  ] as const;
  const [one, other]: Dim[][] = [[], []];
  for (const [i, shape] of expected) {
    const given = floatType(node, inputs, i).shape;
    const found = i < 3 ? headed(given, groups, isFlat) : given;
    if (!found || !mayBeSame(found, shape)) throw misfit(i, `heads ${formatShape(shape)}`);
    one!.push(...found);
    other!.push(...shape);
  }
  const lengths = inputs[6];
  if (lengths && (lengths.dtype !== "i32" || !mayBeSame(lengths.shape, [batch])))
    throw misfit(6, `i32 ${formatShape([batch])}`);
  if (lengths && inputs[4])
    throw opError(node, "numbers of tokens that are no padding do not go together with those before");
  one!.push(lengths?.shape[0] ?? batch);
  other!.push(batch);
  const sizes = { batch, heads, groups, tokens: tokens!, own, past, isFlat, equal: [one!, other!] as const };
  return { ...sizes, size: size as number, valueSize: valueSize as number };
}

/** A mask's dimensions, of which those in front may be left out. */
const maskDims = (shape: Shape) =>
  [...Array.from({ length: 4 - shape.length }, () => 1), ...shape] as unknown as Four;
type Four = readonly [b: Dim, h: Dim, t: Dim, k: Dim];

/** Refuses runs in which symbols of a mask are not the sizes that they stand for. */
function needMask(c: Lowering, shape: Shape, { batch, tokens, own, past }: Sizes): void {
  const [b, , t, k] = maskDims(shape);
  const pairs: readonly (readonly [Dim, Dim])[] = [
    [b, batch],
    [t, tokens],
    [k, addDims(past, own)],
  ];
  for (const [dim, size] of pairs) {
    if (dim === size || (typeof dim === "number" && typeof size === "number") || dim === 1) continue;
    needEqual(c, dim, size);
  }
}

/** Steps of a mask from one batch, head and token to the next, and the keys it has. */
function maskSteps(node: Node, { dtype, shape }: ValueType, { batch, heads, tokens, own, past }: Sizes) {
  const keys = addDims(past, own);
  const [b, h, t, k] = maskDims(shape);
  const isWithin =
    shape.length > 0 &&
    shape.length <= 4 &&
    (mayEqual(b, batch) || b === 1) &&
    (h === heads || h === 1) &&
    (mayEqual(t, tokens) || t === 1) &&
    (mayEqual(k, keys) || (typeof k === "number" && typeof keys === "number" && 1 < k && k < keys));
  if (!isWithin || (dtype !== "f32" && dtype !== "bool"))
    throw opError(node, "the mask does not fit", {
      expected: `f32 or bool, within ${formatShape([batch, heads, tokens, keys])}`,
      got: `${dtype} ${formatShape(shape)}`,
    });
  const step = (dim: Dim, ...inner: Dim[]) => (dim === 1 ? 0 : countOf(inner));
  return [step(b, h, t, k), step(h, t, k), step(t, k), k] as const;
}

/** Keys or values of all tokens, [batch, groups, past + own, size]. */
function joined(unit: Unit, c: Lowering, sizes: Sizes, index: 0 | 1, size: number): Address {
  const { node, inputs, outputs } = unit;
  const { batch, groups, own, past, isFlat } = sizes;
  const all = addDims(past, own);
  const output = outputs[1 + index] ?? "";
  const to = output === "" ? c.temporary(countOf([4, batch, groups, all, size])) : c.output(output);
  const loops = (tokens: Dim, flat: boolean) => [
    { extent: batch, y: countOf([groups, all, size]), x: countOf([groups, tokens, size]) },
    { extent: groups, y: countOf([all, size]), x: flat ? size : countOf([tokens, size]) },
    { extent: tokens, y: size, x: flat ? groups * size : size },
    { extent: size, y: 1, x: 1 },
  ];
  const before = inputs[4 + index] ?? "";
  if (before !== "") emitCopy(node, c, "f32", to, c.input(before), loops(past, false));
  const behindPast = behind(to, countOf([4, past, size]));
  emitCopy(node, c, "f32", behindPast, c.input(inputs[1 + index]!), loops(own, isFlat));
  return to;
}

function lower(unit: Unit, c: Lowering): void {
  const { node, inputs, outputs } = unit;
  const sizes = sizesOf(
    node,
    inputs.map((input) => (input === "" ? undefined : c.type(input))),
  );
  const { batch, heads, groups, tokens, own, past, size, valueSize, isFlat } = sizes;
  const keys = addDims(past, own);
  const given = (i: number) => (inputs[i] ?? "") !== "";
  const isJoined = given(4) || [1, 2].some((i) => (outputs[i] ?? "") !== "");
  const k = isJoined ? joined(unit, c, sizes, 0, size) : c.input(inputs[1]!);
  const v = isJoined ? joined(unit, c, sizes, 1, valueSize) : c.input(inputs[2]!);
  const masks = given(3) ? maskSteps(node, c.type(inputs[3]!), sizes) : ([0, 0, 0, 0] as const);
  needSame(c, ...sizes.equal);
  if (given(3)) needMask(c, c.type(inputs[3]!).shape, sizes);
  const optional = (i: number) => (given(i) ? c.input(inputs[i]!) : NONE);
  const scores = (outputs[3] ?? "") === "" ? NONE : c.output(outputs[3]!);
  const scratch = c.scratch((most) => attentionScratchBytes(most(keys), size, valueSize));
  const form = headsIn(c, {
    heads,
    groups,
    size,
    valueSize,
    left: numberOf(node, "left_window_size", -1),
    right: numberOf(node, "is_causal", 0) ? 0 : numberOf(node, "right_window_size", -1),
    isFlat: isFlat ? 1 : 0,
    isFlatKeys: isFlat && !isJoined ? 1 : 0,
    isBool: given(3) && c.type(inputs[3]!).dtype === "bool" ? 1 : 0,
    mode: numberOf(node, "qk_matmul_output_mode", 0),
  });
  const places = [
    c.output(outputs[0]!),
    scores,
    c.input(inputs[0]!),
    k,
    v,
    optional(3),
    optional(6),
    form,
    scratch,
  ] as const;
  const numbers = [numberOf(node, "scale", 1 / Math.sqrt(size)), numberOf(node, "softcap", 0)] as const;
  const rows = countOf([batch, heads, tokens]);
  const args = [...places, tokens, keys, keys, ...masks, past, ...numbers] as const;
  c.emit("attention", args, rows, multiplyDims(multiplyDims(rows, keys), size + valueSize));
}

/** Batches are apart from each other, where a mask has them first. */
const rows = (_: Node, [q, k, v, mask, ...more]: readonly Batched[]): boolean =>
  [q, k, v].every((x) => x?.axis === 0) &&
  (!mask || mask.axis < 0 || (mask.axis === 0 && mask.shape.length === 4)) &&
  more.every((x) => x.shape.length === 0 || x.axis === 0);

/**
 * softmax(softcap·tanh(scale·Q·Kᵀ / softcap) + mask)·V, heads of queries in groups that share keys and values. Operands are
 * [batch, heads, tokens, size], or [batch, tokens, heads·size] with q_num_heads and kv_num_heads. Tokens before K and V, and numbers of
 * tokens that are no padding, are inputs, too. A query that sees nothing gets zeros. What lies behind those numbers is not read, so that a
 * batch feels no padding. ONNX Attention-25.
 */
export const attention: Op = {
  inputs: 7,
  attributes: [
    "is_causal",
    "q_num_heads",
    "kv_num_heads",
    "scale",
    "softcap",
    "qk_matmul_output_mode",
    "left_window_size",
    "right_window_size",
  ],
  infer(node, inputs) {
    const sizes = sizesOf(node, inputs);
    const { batch, heads, groups, tokens, own, past, size, valueSize, isFlat } = sizes;
    if (inputs[3]) maskSteps(node, inputs[3], sizes);
    const keys = addDims(past, own);
    const mode = numberOf(node, "qk_matmul_output_mode", 0);
    if (![0, 1, 2, 3].includes(mode))
      throw opError(node, "qk_matmul_output_mode does not fit", { expected: "0 to 3", got: `${mode}` });
    const shapes: readonly Shape[] = [
      isFlat ? [batch, tokens, heads * valueSize] : [batch, heads, tokens, valueSize],
      [batch, groups, keys, size],
      [batch, groups, keys, valueSize],
      [batch, heads, tokens, keys],
    ];
    return shapes.slice(0, node.outputs.length).map((shape) => ({ dtype: "f32", shape }));
  },
  rows,
  lower,
};

export const attentionTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
