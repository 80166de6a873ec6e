import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, divideDims, formatShape, type Shape } from "../../graph/symbols";
import { mayBeSame, mayEqual, needSame } from "../equal";
import { floatType, NONE, numberOf, type Op, opError, type Traits } from "../op";

/** How the elements of x are turned. */
interface Turn {
  /** Rows of memory, and heads that lie in each. */
  readonly rows: Dim;
  readonly heads: number;
  readonly size: number;
  /** Pairs of a head that are turned. */
  readonly half: number;
  readonly batch: Dim;
  readonly tokens: Dim;
}

/** x [batch, tokens, heads·size] or [batch, heads, tokens, size]. */
function turnOf(node: Node, shape: Shape): Turn {
  const heads = shape.length === 3 ? numberOf(node, "num_heads", 0) : 1;
  const last = shape.at(-1);
  const size = typeof last === "number" ? last / heads : Number.NaN;
  const half = (numberOf(node, "rotary_embedding_dim", 0) || size) / 2;
  const fits = [3, 4].includes(shape.length) && Number.isInteger(size) && Number.isInteger(half);
  if (!fits || half < 0 || 2 * half > size)
    throw opError(node, "input 0 does not fit", {
      expected:
        "[batch, tokens, num_heads·size] or [batch, heads, tokens, size], an even number of size turned",
      got: `${formatShape(shape)}, num_heads ${heads}, ${2 * half} turned`,
    });
  return { rows: countOf(shape.slice(0, -1)), heads, size, half, batch: shape[0]!, tokens: shape.at(-2)! };
}

/** The shape that angles, or position_ids, of every token of every batch have: one for all batches where the first dimension is 1. */
function checkTokens(
  node: Node,
  index: number,
  { shape }: ValueType,
  { batch, tokens }: Turn,
  rest: Shape,
): void {
  const [own, ...others] = shape;
  const expected = [tokens, ...rest];
  if ((own === 1 || mayEqual(own!, batch)) && mayBeSame(others, expected)) return;
  throw opError(node, `input ${index} does not fit`, {
    expected: formatShape([batch, ...expected]),
    got: formatShape(shape),
  });
}

/**
 * Pairs of each head's elements turned by angles whose cosines and sines are given: one row a token, or with position_ids the rows
 * of a table that these name. ONNX RotaryEmbedding-23; angles whose batch is 1 are those of every batch.
 */
export const rotaryEmbedding: Op = {
  inputs: 4,
  attributes: ["interleaved", "num_heads", "rotary_embedding_dim"],
  infer(node, inputs) {
    const x = floatType(node, inputs, 0);
    const turn = turnOf(node, x.shape);
    const positions = inputs[3];
    for (const i of [1, 2]) {
      const angles = floatType(node, inputs, i);
      if (!positions) checkTokens(node, i, angles, turn, [turn.half]);
      else if (angles.shape.length !== 2 || angles.shape[1] !== turn.half)
        throw opError(node, `input ${i} does not fit`, {
          expected: `[positions, ${turn.half}]`,
          got: formatShape(angles.shape),
        });
    }
    if (!mayBeSame(inputs[1]!.shape, inputs[2]!.shape))
      throw opError(node, "cosines and sines do not fit", {
        expected: formatShape(inputs[1]!.shape),
        got: formatShape(inputs[2]!.shape),
      });
    if (positions?.dtype === "i32") checkTokens(node, 3, positions, turn, []);
    else if (positions)
      throw opError(node, "element type of input 3 does not fit", { expected: "i32", got: positions.dtype });
    return [x];
  },
  /** A table whose rows are named is that of all batches. */
  rows: (_, [x, cos, , positions]) => x!.axis === 0 && (!positions || cos!.axis < 0),
  lower({ node, inputs, outputs }, c) {
    const [x, cos, sin, positions = ""] = inputs as [string, string, string, string?];
    const turn = turnOf(node, c.type(x).shape);
    const { rows, heads, size, half, batch, tokens } = turn;
    const [angles, own] = c.type(positions === "" ? cos : positions).shape;
    needSame(c, [angles === 1 ? batch : angles!, own!], [batch, tokens]);
    needSame(c, c.type(cos).shape, c.type(sin).shape);
    const extent = positions === "" ? 0 : c.type(cos).shape[0]!;
    if (positions !== "") c.needs(extent, outputs[0]!);
    const operands = [c.output(outputs[0]!, x), c.input(x), c.input(cos), c.input(sin)] as const;
    const at = positions === "" ? NONE : c.input(positions);
    const interleaved = numberOf(node, "interleaved", 0);
    const perBatch = [divideDims(rows, batch) ?? tokens, angles === 1 ? 0 : tokens] as const;
    const args = [...operands, at, heads, size, half, interleaved, tokens, ...perBatch, extent] as const;
    c.emit("rotaryEmbedding", args, rows);
  },
};

export const rotaryEmbeddingTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
