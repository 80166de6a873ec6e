// CachedAttention: tokens attend to those before them, whose keys and values lie in states that runs share.

import {
  attentionInt8ScratchBytes,
  attentionScratchBytes,
  Heads,
  keySizeOf,
  TILE,
} from "../../../assembly/language/attention-sizes";
import type { Node, ValueType } from "../../graph/graph";
import { addDims, type Dim, formatShape, multiplyDims, type Shape, subtractDims } from "../../graph/symbols";
import type { DType } from "../../graph/tensor";
import {
  type Address,
  floatType,
  inputType,
  type Lowering,
  NONE,
  numberOf,
  type Op,
  opError,
  type Traits,
  type Unit,
} from "../op";
import { dimOf } from "./rotary-angles";

/** States of codes: keys and values, and the scales of both. */
const CODED = 4;
type Five<T> = readonly [T, T, T, T, T];

/** Sizes of a node. */
interface Sizes {
  readonly tokens: Dim;
  readonly heads: number;
  readonly groups: number;
  readonly size: number;
  readonly valueSize: number;
  /** Tokens that the states have room for. */
  readonly length: Dim;
  /** Positions that have numbers to be added to scores; 0: none. */
  readonly biased: Dim;
}

/** Whole parts of a dimension; refused where it has none. */
function part(node: Node, what: string, dim: Dim | undefined, parts: number): number {
  const size = typeof dim === "number" ? dim / parts : Number.NaN;
  if (Number.isInteger(size) && size > 0) return size;
  throw opError(node, `${what} do not fit`, { expected: `${parts} heads of one size`, got: `${dim}` });
}

/** As many query heads as a multiple of those of keys and values. */
export function headsOf(node: Node, own: string): { heads: number; groups: number } {
  const heads = numberOf(node, own, 0);
  const groups = numberOf(node, "kv_num_heads", heads);
  if (Number.isInteger(heads / groups) && groups > 0 && Number.isInteger(groups)) return { heads, groups };
  throw opError(node, "heads do not fit", {
    expected: `${own} a multiple of kv_num_heads`,
    got: `${heads} and ${groups}`,
  });
}

/** A Heads in memory, its fields in the struct's order. */
export const headsIn = (c: Lowering, fields: Partial<Heads>): Address =>
  c.data(Int32Array.from(Object.values(Object.assign(new Heads(), fields))));

/** The states, in the order of their inputs from the fourth on: of floats, or of codes with a scale a token and head. */
const statesOf = (
  { length, groups, size, valueSize }: Sizes,
  isCoded: boolean,
): readonly (readonly [DType, Shape])[] =>
  isCoded
    ? [
        ["i8", [length, groups * keySizeOf(size)]],
        ["f32", [length, groups]],
        ["i8", [length, groups * valueSize]],
        ["f32", [length, groups]],
      ]
    : [
        ["f32", [length, groups * size]],
        ["f32", [length, groups * valueSize]],
      ];

function sizesOf(node: Node, inputs: readonly (ValueType | undefined)[]): Sizes {
  const { heads, groups } = headsOf(node, "num_heads");
  const [q, , v] = [0, 1, 2].map((i) => floatType(node, inputs, i).shape) as [Shape, Shape, Shape];
  const [one, tokens = 0] = q;
  const length = inputType(node, inputs, 3).shape[0] ?? 0;
  const size = part(node, "queries", q[2], heads);
  const isCoded = inputs[3]!.dtype === "i8";
  const count = 3 + (isCoded ? CODED : 2);
  // A place in a ring is not a key's position.
  const biased = leftOf(node) < 0 ? (inputs[count]?.shape[1] ?? 0) : 0;
  const sizes = {
    tokens,
    heads,
    groups,
    size,
    valueSize: part(node, "values", v[2], groups),
    length,
    biased,
  };
  if (inputs.length !== (biased ? count + 1 : count))
    throw opError(node, "the number of inputs does not fit", {
      expected: `${count}`,
      got: `${inputs.length}`,
    });
  if (isCoded && typeof length === "number" && length % TILE !== 0)
    throw opError(node, "a cache of codes has whole tiles", {
      expected: `a multiple of ${TILE} tokens`,
      got: `${length}`,
    });
  // Of what is added to scores, as many as the states have room for, or more.
  const expected: (readonly [DType, Shape])[] = [
    ["f32", [1, tokens, heads * size]],
    ["f32", [1, tokens, groups * size]],
    ["f32", [1, tokens, groups * sizes.valueSize]],
    ...statesOf(sizes, isCoded),
  ];
  if (biased) expected.push(["f32", [heads, (biased as number) < (length as number) ? length : biased]]);
  for (const [i, [dtype, shape]] of expected.entries()) {
    const type = inputType(node, inputs, i);
    if (type.dtype !== dtype || formatShape(type.shape) !== formatShape(shape) || one !== 1)
      throw opError(node, `input ${i} does not fit`, {
        expected: `${dtype} ${formatShape(shape)}`,
        got: `${type.dtype} ${formatShape(type.shape)}`,
      });
  }
  return sizes;
}

/** Tokens before its own that a query sees; −1: all. */
const leftOf = (node: Node): number => numberOf(node, "window", 0) - 1;

/** Refuses runs whose tokens have no place: neither one of their own nor, in a ring, one of a token that no query sees any more. */
function checkRoom(node: Node, c: Lowering, output: string, { tokens, length }: Sizes, position: Dim): void {
  const room = (needed: Dim) => addDims(subtractDims(length, needed), 1);
  const left = leftOf(node);
  const isRing = left >= 0 && (length as number) % TILE === 0;
  c.needs(room(addDims(position, tokens)), output, isRing ? room(addDims(tokens, left)) : undefined);
}

function lower({ node, inputs, outputs }: Unit, c: Lowering): void {
  const [q, k, v, ...states] = inputs as [string, string, string, ...string[]];
  const sizes = sizesOf(
    node,
    inputs.map((input) => c.type(input)),
  );
  const { tokens, heads, groups, size, valueSize, biased } = sizes;
  const mask = biased ? c.input(states.pop()!) : NONE;
  const length = sizes.length as number;
  const position = dimOf(node, "position");
  checkRoom(node, c, outputs[0]!, sizes, position);
  const seen = addDims(position, tokens);
  const rows = multiplyDims(tokens, heads);
  const macs = multiplyDims(multiplyDims(rows, seen), size + valueSize);
  const left = leftOf(node);
  const numbers = [numberOf(node, "scale", 1 / Math.sqrt(size)), numberOf(node, "softcap", 0)] as const;
  const form = headsIn(c, { heads, groups, size, valueSize, left, right: 0, isFlat: 1, isFlatKeys: 1 });
  const read = [c.input(q), ...states.map((state) => c.input(state))];
  const y = c.output(outputs[0]!);
  if (states.length === CODED) {
    const [x, keys, keyScales, values, valueScales] = read as unknown as Five<Address>;
    for (const [kernel, state, scales, from, each] of [
      ["cacheKeys", keys, keyScales, k, size],
      ["cacheValues", values, valueScales, v, valueSize],
    ] as const) {
      const args = [state, scales, c.input(from), groups, each, position, length] as const;
      c.emit(kernel, args, multiplyDims(tokens, groups));
    }
    const scratch = c.scratch(attentionInt8ScratchBytes(length, size, valueSize));
    const places = [y, x, keys, keyScales, values, valueScales, mask, form, scratch] as const;
    c.emit("attentionInt8", [...places, tokens, length, biased, position, ...numbers], rows, macs);
    return;
  }
  const [x, keys, values] = read as [Address, Address, Address];
  for (const [state, from, each] of [
    [keys, k, size],
    [values, v, valueSize],
  ] as const)
    c.emit("cacheRows", [state, c.input(from), 4 * groups * each, position, length], tokens);
  const scratch = c.scratch(attentionScratchBytes(length, size, valueSize));
  const places = [y, NONE, x, keys, values, mask, NONE, form, scratch] as const;
  const counts = [tokens, length, seen, 0, biased, 0, biased, position] as const;
  c.emit("attention", [...places, ...counts, ...numbers], rows, macs);
}

/**
 * Writes k and v of each token into states and attends from q to all tokens up to its own, `window` of them at most (0: all). Inputs q
 * [1, tokens, num_heads·size], k [1, tokens, kv_num_heads·size], v [1, tokens, kv_num_heads·valueSize], then states of `length` tokens:
 * keys and values, f32 [length, kv_num_heads·size]; or keys, their scales, values, their scales: i8, and f32 [length, kv_num_heads], for codes
 * that are symmetric for each token and head (assembly/language/attention-int8.ts). Those lie in tiles of 32 tokens
 * (assembly/language/cache.ts), a key in a multiple of 4 elements. Token t has the position `position` + t, a list of one dimension, and the place
 * position mod length; with a window, length is a multiple of 32 and at least window + tokens − 1. Scores are times `scale` (1/√size),
 * and where `softcap` is not 0, softcap·tanh(score / softcap). Behind the states may be what is added to them, f32 [num_heads, positions]:
 * a number for each position of a key, `length` of them at least; not with a window.
 */
export const cachedAttention: Op = {
  inputs: 8,
  attributes: ["num_heads", "kv_num_heads", "scale", "softcap", "window", "position"],
  infer(node, inputs) {
    const { tokens, heads, valueSize } = sizesOf(node, inputs);
    dimOf(node, "position");
    return [{ dtype: "f32", shape: [1, tokens, heads * valueSize] }];
  },
  lower,
};

export const cachedAttentionTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
};
