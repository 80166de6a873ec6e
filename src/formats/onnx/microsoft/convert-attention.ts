// Attention with its projections, MultiHeadAttention and RotaryEmbedding of ONNX Runtime, as ONNX's Attention and RotaryEmbedding.

import { Parts } from "../parts";
import type { Conversion } from "../source";
import { attend, countedTo, headsOf, keyPositions, maskOf, scaleOf, sizeOf, sumOf } from "./attend";
import { projected, splitOf, widthsOf } from "./projected";

/** input, weights, bias, mask, past, what is added to scores. */
export const attention: Conversion = (source) => {
  const [x = "", w = "", bias = "", mask = "", past = "", added = ""] = source.inputs;
  const parts = new Parts(source);
  const columns = source.constant(w)?.shape[1];
  return projected(source, parts, parts.make("MatMul", "product", [x, w]), bias, columns, [
    mask,
    past,
    added,
  ]);
};

/** Keys or values [batch, heads, tokens, size] as [batch, tokens, heads·size]. */
const flattened = (parts: Parts, what: string, value: string): string =>
  parts.make("Reshape", what, [
    parts.make("Transpose", `${what}_turned`, [value], { perm: [0, 2, 1, 3] }),
    parts.integers(`${what}_flat`, [0, 0, -1]),
  ]);

/** query, key, value, bias, mask, what is added to scores, past keys and values. */
export const multiHeadAttention: Conversion = (source) => {
  const [q = "", k = "", v = "", bias = "", mask = "", added = "", pastKey = "", pastValue = ""] =
    source.inputs;
  const [y = "", presentKey = "", presentValue = "", scores = ""] = source.outputs;
  if (k === "" || v === "" || scores !== "" || [k, v].some((value) => source.rank(value) === 5))
    throw source.error("packed operands and outputs of scores have no form here", {
      expected: "query, key and value apart",
    });
  const parts = new Parts(source);
  const isHeaded = source.rank(k) === 4;
  let operands: [string, string, string] = isHeaded
    ? [q, flattened(parts, "key", k), flattened(parts, "value", v)]
    : [q, k, v];
  if (bias !== "") {
    const biases = splitOf(parts, bias, widthsOf(source, source.constant(bias)?.data.length));
    // Keys and values that come with heads have it already.
    const add = (value: string, i: number) =>
      isHeaded && i > 0 ? value : parts.make("Add", `biased_${i}`, [value, biases[i]!]);
    operands = operands.map(add) as [string, string, string];
  }
  const heads = headsOf(source, "num_heads");
  const own = maskOf(source, parts, mask, () => keyPositions(parts, operands[1], pastKey));
  source.ignore("mask_filter_value");
  return attend(parts, [y], {
    operands,
    heads,
    groups: heads,
    mask: sumOf(parts, "masked", [own, added]),
    past: [pastKey, pastValue],
    present: [presentKey, presentValue],
    attributes: { ...scaleOf(source), is_causal: source.int("unidirectional", 0) },
  });
};

/** input, positions (the first one's, or one a token), cosines and sines of each position. */
export const rotaryEmbedding: Conversion = (source) => {
  const [x = "", positions = "", cos = "", sin = ""] = source.inputs;
  const heads = source.int("num_heads", 0);
  const turned = source.int("rotary_embedding_dim", 0);
  const scale = source.attribute("scale") ?? 1;
  if (source.int("is_packed_batching", 0) !== 0 || scale !== 1)
    throw source.error("packed batches and scales of angles have no form here", {
      expected: "is_packed_batching 0 and scale 1",
    });
  const attributes = { interleaved: source.int("interleaved", 0), rotary_embedding_dim: turned };
  const parts = new Parts(source);
  const isFlat = source.rank(x) !== 4;
  const at =
    source.rank(positions) === 1
      ? parts.make(
          "Unsqueeze",
          "positions",
          [
            parts.make("Add", "moved", [
              countedTo(parts, "tokens", sizeOf(parts, "count", x, isFlat ? 1 : 2)),
              positions,
            ]),
          ],
          { axes: [0] },
        )
      : positions;
  if (!isFlat || heads > 0)
    return parts.last("RotaryEmbedding", [x, cos, sin, at], {
      ...attributes,
      ...(isFlat ? { num_heads: heads } : {}),
    });
  const half = source.constant(cos)?.shape[1];
  if (half === undefined)
    throw source.error("the size of a head is not known", { expected: "num_heads, or constant cosines" });
  const parted = parts.make("Reshape", "parted", [x, parts.integers("parts", [0, 0, -1, 2 * half])]);
  const headed = parts.make("Transpose", "headed", [parted], { perm: [0, 2, 1, 3] });
  const result = parts.make("RotaryEmbedding", "turned", [headed, cos, sin, at], attributes);
  const back = parts.make("Transpose", "back", [result], { perm: [0, 2, 1, 3] });
  return parts.last("Reshape", [back, parts.integers("joined", [0, 0, -1])]);
};
