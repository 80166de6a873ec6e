// Weights of language models as their kernels read them, each packed once for all nodes that read it: layers and tables of rows.

import { packedBlocksBytes } from "../../../assembly/blocks/sizes";
import {
  COLUMNS,
  columnSumBytes,
  GROUP_SIZE,
  MOST_OFFSET,
  MOST_SUM,
  packedInt4Bytes,
} from "../../../assembly/int4/sizes";
import { BESIDE_COLUMNS, offsetInt8Bytes, packedInt8Bytes } from "../../../assembly/int8/sizes";
import { up } from "../../../assembly/lanes/whole";
import type { GroupScales, Node } from "../../graph/graph";
import {
  type Address,
  behind,
  type Lowering,
  type NamedConstant,
  NONE,
  opError,
  type Quantization,
} from "../op";

/** Columns of a range of these kernels. */
export { BESIDE_COLUMNS, COLUMNS };

/** Panels, and the sums of each column. */
export interface Packed {
  readonly packed: Address;
  readonly sums: Address;
}

/** Bytes of weights that are staged at once: a table of all words is packed part by part. */
const PART_BYTES = 2 ** 22;

/** Weights [n, k] of 8 bits, packed where they lie. */
export const packInt8 = (c: Lowering, weights: NamedConstant): Packed =>
  c.once(`int8 ${weights.name}`, () => {
    const [n, k] = weights.shape as [number, number];
    const bytes = packedInt8Bytes(n, k, 1, BESIDE_COLUMNS);
    const packed = c.reserve(bytes);
    const sums = c.reserve(offsetInt8Bytes(n));
    c.apart(() => {
      c.fill(weights, behind(packed, bytes - n * k));
      c.load("packInPlaceInt8", [packed, sums, c.stage(BESIDE_COLUMNS * k), n, k]);
    });
    return { packed, sums };
  });

/** The groups of weights [n, k]: constants of their shapes, and where scales are whole a scale of each row. */
function groupsOf(
  c: Lowering,
  node: Node,
  weights: NamedConstant,
  { scale, groups }: Quantization,
): GroupScales {
  const { size, scales, offsets } = groups!;
  const [n = 0, k = 0] = weights.shape;
  const isWhole = scale.length > 0;
  const shape = [n, k / size];
  const fits = (name: string, dtype: string) => {
    const constant = c.constant(name);
    return constant?.dtype === dtype && `${constant.shape}` === `${shape}`;
  };
  const isMatrix = weights.dtype === "i8" && weights.shape.length === 2 && Number.isInteger(shape[1]);
  const haveOffsets = offsets === undefined || fits(offsets, isWhole ? "i32" : "f32");
  if (isMatrix && fits(scales, isWhole ? "i8" : "f32") && haveOffsets && (!isWhole || scale.length === n))
    return groups!;
  throw opError(node, "its weights do not fit their groups", {
    expected: isWhole
      ? "i8 [n, k], scales f32 [n] and i8 [n, k/size], offsets i32 [n, k/size]"
      : "i8 [n, k], scales and offsets f32 [n, k/size]",
    got: [weights, c.constant(scales), offsets === undefined ? undefined : c.constant(offsets)]
      .flatMap((constant) => (constant ? `${constant.dtype} [${constant.shape}]` : []))
      .join(", "),
  });
}

/** Weights [n, k] of 4 bits in groups with whole scales. */
export function packInt4(c: Lowering, node: Node, weights: NamedConstant, q: Quantization): Packed {
  const { size, scales, offsets = "" } = groupsOf(c, node, weights, q);
  if (size % GROUP_SIZE !== 0)
    throw opError(node, "weights of 4 bits have scales of groups of 32", {
      expected: `groups of a multiple of ${GROUP_SIZE}`,
      got: `${size}`,
    });
  return c.once(`int4 ${JSON.stringify([weights.name, size, scales, offsets])}`, () => {
    const [n, k] = weights.shape as [number, number];
    const hasOffsets = offsets === "" ? 0 : 1;
    const bytes = packedInt4Bytes(n, k, hasOffsets);
    const packed = c.reserve(bytes);
    const columns = up(n, COLUMNS);
    const sums = c.reserve(columnSumBytes(n, k));
    const expected = `codes in -8..7, offsets in ±${MOST_OFFSET}, and at most ${MOST_SUM} for the sum of |scale · code - offset| of a row`;
    inParts(n, k, (from, rows) =>
      c.apart(() => {
        const stage = (name: string, of: number) => stageRows(c, name, from, rows, of);
        const codes = stage(weights.name, k);
        const s = stage(scales, k / size);
        const t = hasOffsets ? stage(offsets, (k / size) * 4) : NONE;
        const to = behind(packed, (from / columns) * bytes);
        c.load("packInt4", [to, behind(sums, from * 4), codes, s, t, rows, k, size, columns], expected);
      }),
    );
    return { packed, sums };
  });
}

/** Weights [n, k] in blocks with float scales, as files of other programs have them. */
export function packBlocks(c: Lowering, node: Node, weights: NamedConstant, q: Quantization): Address {
  const { size, scales, offsets = "" } = groupsOf(c, node, weights, q);
  if (size !== 16 && size !== 32)
    throw opError(node, "weights with float scales have them for blocks of 16 or 32", {
      expected: "groups of 16 or 32",
      got: `${size}`,
    });
  return c.once(`blocks ${JSON.stringify([weights.name, size, scales, offsets])}`, () => {
    const [n, k] = weights.shape as [number, number];
    const bytes = packedBlocksBytes(n, k, size, offsets === "" ? 0 : 1);
    const packed = c.reserve(bytes);
    inParts(n, k, (from, rows) =>
      c.apart(() => {
        const stage = (name: string, of: number) => stageRows(c, name, from, rows, of);
        const codes = stage(weights.name, k);
        const d = stage(scales, (k / size) * 4);
        const m = offsets === "" ? NONE : stage(offsets, (k / size) * 4);
        c.load("packBlocks", [behind(packed, (from / up(n, COLUMNS)) * bytes), codes, d, m, rows, k, size]);
      }),
    );
    return packed;
  });
}

/** Stages rows of a constant, `bytes` each; what is staged whole can be read from its file to there. */
function stageRows(c: Lowering, name: string, from: number, rows: number, bytes: number): Address {
  const constant = c.constant(name)!;
  const isWhole = rows === constant.shape[0];
  return c.stage(constant, isWhole ? undefined : { from: from * bytes, bytes: rows * bytes });
}

/** Calls back for some rows at a time, as many as PART_BYTES hold of one byte a weight, from multiples of 16 on. */
function inParts(n: number, k: number, pack: (from: number, rows: number) => void): void {
  const most = Math.max(1, Math.floor(PART_BYTES / (k * COLUMNS || 1))) * COLUMNS;
  for (let from = 0; from < n; from += most) pack(from, Math.min(most, n - from));
}
