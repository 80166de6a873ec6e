// Attention over one product that is Q, K and V beside each other.

import { tensor } from "../../../graph/tensor";
import { Parts } from "../parts";
import type { Source } from "../source";
import { attend, headsOf, keyPositions, maskOf, refuseShared, scaleOf, sumOf } from "./attend";

/** Sizes of Q, K and V in the columns of joined weights. */
export function widthsOf(source: Source, columns: number | undefined): readonly number[] {
  const given = source.attribute("qkv_hidden_sizes");
  if (Array.isArray(given) && given.length === 3) return given as number[];
  if (columns !== undefined && columns % 3 === 0) return [columns / 3, columns / 3, columns / 3];
  throw source.error("sizes of Q, K and V are not known", {
    expected: "qkv_hidden_sizes, or constant weights of 3·hidden columns",
  });
}

/** Q, K and V of joined columns. */
export const splitOf = (
  parts: Parts,
  joined: string,
  widths: readonly number[],
): readonly [string, string, string] => {
  const split = parts.integers("widths", widths);
  return parts.several("Split", ["q", "k", "v"], [joined, split], { axis: -1 }) as [string, string, string];
};

/** x · W + bias, split into Q, K and V. Of the past and present, keys and values lie beside each other. */
export function projected(
  source: Source,
  parts: Parts,
  product: string,
  bias: string,
  columns: number | undefined,
  places: readonly [mask: string, past: string, added: string],
) {
  const [mask, past, added] = places;
  refuseShared(source);
  const sum = bias === "" ? product : parts.make("Add", "projected", [product, bias]);
  const operands = splitOf(parts, sum, widthsOf(source, columns));
  const heads = headsOf(source, "num_heads");
  const [y = "", present = ""] = source.outputs;
  const before = ["past_key", "past_value"].map((what, i) =>
    past === "" ? "" : parts.make("Gather", what, [past, parts.scalar(`${what}_at`, "i32", i)], { axis: 0 }),
  ) as [string, string];
  const own = maskOf(source, parts, mask, () => keyPositions(parts, operands[1], before[0]));
  source.ignore("mask_filter_value", "rotary_embedding_dim");
  const attending = {
    operands,
    heads,
    groups: heads,
    mask: sumOf(parts, "masked", [own, added]),
    past: before,
    attributes: { ...scaleOf(source), is_causal: source.int("unidirectional", 0) },
  };
  if (present === "") return attend(parts, [y], { ...attending, present: ["", ""] });
  const after = [source.fresh(`${present}_key`), source.fresh(`${present}_value`)] as const;
  const nodes = attend(parts, [y], { ...attending, present: after });
  const joining = new Parts(source);
  const both = after.map((value, i) => joining.make("Unsqueeze", `present_${i}`, [value], { axes: [0] }));
  // Concat has no kernel for parts whose sizes symbols decide.
  const isKey = source.define(`${present}_is_key`, tensor("bool", [2, 1, 1, 1, 1], [1, 0]));
  joining.makes("Where", present, [isKey, ...both]);
  return [...nodes, ...joining.nodes];
}
