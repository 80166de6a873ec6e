// CachedAttention: tokens attend to those before them, whose keys and values lie in states that runs share.

import { attentionScratchBytes, TILE } from "../../../assembly/language/attention-sizes";
import type { Node, ValueType } from "../../graph/graph";
import { addDims, type Dim, formatShape, multiplyDims, type Shape, subtractDims } from "../../graph/symbols";
import type { DType } from "../../graph/tensor";
import {
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

/** Sizes of a node. */
interface Sizes {
  readonly tokens: Dim;
  readonly heads: number;
  readonly groups: number;
  readonly size: number;
  readonly valueSize: number;
  /** Tokens that the states have room for. */
  readonly length: Dim;
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

/** The states, in the order of their inputs from the fourth on: of floats, or of codes with a scale a token and head. */
const statesOf = (
  { length, groups, size, valueSize }: Sizes,
  isCoded: boolean,
): readonly (readonly [DType, Shape])[] =>
  [size, valueSize].flatMap((each) =>
    isCoded
      ? ([
          ["i8", [length, groups * each]],
          ["f32", [length, groups]],
        ] as const)
      : ([["f32", [length, groups * each]]] as const),
  );

function sizesOf(node: Node, inputs: readonly (ValueType | undefined)[]): Sizes {
  const { heads, groups } = headsOf(node, "num_heads");
  const [q, , v] = [0, 1, 2].map((i) => floatType(node, inputs, i).shape) as [Shape, Shape, Shape];
  const [one, tokens = 0] = q;
  const length = inputType(node, inputs, 3).shape[0] ?? 0;
  const size = part(node, "queries", q[2], heads);
  const sizes = { tokens, heads, groups, size, valueSize: part(node, "values", v[2], groups), length };
  const isCoded = inputs[3]!.dtype === "i8";
  const expected: readonly (readonly [DType, Shape])[] = [
    ["f32", [1, tokens, heads * size]],
    ["f32", [1, tokens, groups * size]],
    ["f32", [1, tokens, groups * sizes.valueSize]],
    ...statesOf(sizes, isCoded),
  ];
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

/** Refuses runs whose tokens have no place: in a ring, those that a token sees stay while it is new. */
function checkRoom(node: Node, c: Lowering, output: string, { tokens, length }: Sizes, position: Dim): void {
  const left = leftOf(node);
  const needed = left < 0 ? addDims(position, tokens) : addDims(tokens, left);
  if (left >= 0 && (typeof length !== "number" || length % TILE !== 0))
    throw opError(node, "a cache of a window is a ring of whole tiles", {
      expected: `a multiple of ${TILE} tokens`,
      got: `${length}`,
    });
  c.needs(addDims(subtractDims(length, needed), 1), output);
}

function lower({ node, inputs, outputs }: Unit, c: Lowering): void {
  const [q, k, v, keys, values] = inputs as [string, string, string, string, string];
  const sizes = sizesOf(
    node,
    inputs.map((input) => c.type(input)),
  );
  const { tokens, heads, groups, size, valueSize } = sizes;
  const length = sizes.length as number;
  const position = dimOf(node, "position");
  checkRoom(node, c, outputs[0]!, sizes, position);
  for (const [state, x, each] of [
    [keys, k, size],
    [values, v, valueSize],
  ] as const)
    c.emit("cacheRows", [c.input(state), c.input(x), 4 * groups * each, position, length], tokens);
  const seen = addDims(position, tokens);
  const rows = multiplyDims(tokens, heads);
  const operands = [c.output(outputs[0]!), NONE, c.input(q), c.input(keys), c.input(values)] as const;
  const scratch = c.scratch(attentionScratchBytes(length, size, valueSize));
  const counts = [tokens, length, seen, heads, groups, size, valueSize] as const;
  const scale = numberOf(node, "scale", 1 / Math.sqrt(size));
  const numbers = [position, leftOf(node), 0, scale, numberOf(node, "softcap", 0), 0] as const;
  c.emit(
    "attention",
    [...operands, NONE, NONE, scratch, ...counts, 1, 1, 0, 0, 0, 0, 0, ...numbers],
    rows,
    multiplyDims(multiplyDims(rows, seen), size + valueSize),
  );
}

/**
 * Writes k and v of each token into states and attends from q to all tokens up to its own, `window` of them at most (0: all). Inputs q
 * [1, tokens, num_heads·size], k [1, tokens, kv_num_heads·size], v [1, tokens, kv_num_heads·valueSize], then states of `length` tokens:
 * keys and values, f32 [length, kv_num_heads·size]. Token t has the position `position` + t, a list of one dimension, and the place
 * position mod length; with a window, length is a multiple of 32 and at least window + tokens − 1. Scores are times `scale` (1/√size),
 * and where `softcap` is not 0, softcap·tanh(score / softcap).
 */
export const cachedAttention: Op = {
  inputs: 5,
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
