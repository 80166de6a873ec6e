// In which order a GGUF file has the rows of q, k and v, where that is not the order of Hugging Face.

import { FormatError } from "../../errors";
import type { Architecture } from "./architectures";
import type { GgufTensor } from "./header";
import type { RowOrder } from "./read-tensor";

/** The order of a tensor's rows; undefined: that of Hugging Face. Throws FormatError where there are too few rows or too many. */
export function rowOrderOf(
  part: string,
  { shape, name }: GgufTensor,
  { permutesHeads, groupsHeads }: Architecture,
  config: Readonly<Record<string, unknown>>,
  where: string,
): RowOrder | undefined {
  const dim = Number(config.head_dim);
  const [heads, kvHeads] = [Number(config.num_attention_heads), Number(config.num_key_value_heads)];
  const check = (count: number): void => {
    if (shape[0] === count * dim && dim % 2 === 0 && heads % kvHeads === 0) return;
    throw new FormatError(`tensor "${name}" has another shape`, {
      where,
      expected: `${count} heads of ${dim} rows`,
      got: `[${shape}]`,
    });
  };
  if (permutesHeads && (part === "attn_q" || part === "attn_k")) {
    check(part === "attn_q" ? heads : kvHeads);
    return pairs(dim);
  }
  if (!groupsHeads || part !== "attn_qkv") return undefined;
  check(heads + 2 * kvHeads);
  return groups(heads, kvHeads, dim);
}

/** Rows that turn by pairs: the file has the two rows of a pair next to each other, Hugging Face half a head apart. */
const pairs =
  (dim: number): RowOrder =>
  (row) => {
    const half = dim / 2;
    const inHead = row % dim;
    return row - inHead + 2 * (inHead % half) + (inHead < half ? 0 : 1);
  };

/** The file has all of q, then k, then v; Hugging Face for each key head its queries, its key and its value. */
function groups(heads: number, kvHeads: number, dim: number): RowOrder {
  const queries = heads / kvHeads;
  return (row) => {
    const head = Math.floor(row / dim);
    const group = Math.floor(head / (queries + 2));
    const inGroup = head % (queries + 2);
    const place =
      inGroup < queries ? group * queries + inGroup : heads + (inGroup - queries) * kvHeads + group;
    return place * dim + (row % dim);
  };
}
