// Weights of language models as their kernels read them, each packed once for all nodes that read it: layers and tables of rows.

import {
  COLUMNS,
  columnSumBytes,
  GROUP_SIZE,
  MOST_OFFSET,
  MOST_SUM,
  packedInt4Bytes,
} from "../../../assembly/int4/sizes";
import { BESIDE_COLUMNS } from "../../../assembly/int8/sizes";
import type { GroupScales, Node } from "../../graph/graph";
import { packWeightsInt8 } from "../dense";
import { type Address, type Lowering, type NamedConstant, NONE, opError } from "../op";

/** Columns of a range of these kernels. */
export { BESIDE_COLUMNS, COLUMNS };

/** Panels, and the sums of each column. */
export interface Packed {
  readonly packed: Address;
  readonly sums: Address;
}

/** Weights [n, k] of 8 bits. */
export const packInt8 = (c: Lowering, weights: NamedConstant): Packed =>
  c.once(`int8 ${weights.name}`, () => {
    const [n, k] = weights.shape as [number, number];
    const view = { n, taps: 1, channels: k, strideN: k, strideTap: 0, strideC: 1 };
    const { packed, offset } = packWeightsInt8(c, c.stage(weights), view, NONE, 1, BESIDE_COLUMNS);
    c.load("packRowWeightsInt8", [packed, n, k]);
    return { packed, sums: offset };
  });

/** Weights [n, k] of 4 bits in groups with whole scales. */
export function packInt4(c: Lowering, node: Node, weights: NamedConstant, groups: GroupScales): Packed {
  const { size, scales, offsets = "" } = groups;
  if (size % GROUP_SIZE !== 0)
    throw opError(node, "weights of 4 bits have scales of groups of 32", {
      expected: `groups of a multiple of ${GROUP_SIZE}`,
      got: `${size}`,
    });
  return c.once(`int4 ${JSON.stringify([weights.name, size, scales, offsets])}`, () => {
    const [n, k] = weights.shape as [number, number];
    const hasOffsets = offsets === "" ? 0 : 1;
    const packed = c.reserve(packedInt4Bytes(n, k, hasOffsets));
    const sums = c.reserve(columnSumBytes(n, k));
    const staged = [weights, c.constant(scales)!].map((constant) => c.stage(constant));
    const t = hasOffsets ? c.stage(c.constant(offsets)!) : NONE;
    c.load(
      "packInt4",
      [packed, sums, staged[0]!, staged[1]!, t, n, k, size],
      `codes in -8..7, offsets in ±${MOST_OFFSET}, and at most ${MOST_SUM} for the sum of |scale · code - offset| of a row`,
    );
    return { packed, sums };
  });
}
