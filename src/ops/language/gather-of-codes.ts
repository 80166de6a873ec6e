// How Gather is lowered where its table is codes: rows as floats, from the panels that a linear layer multiplies. So an embedding and a
// head that are the same weights are in memory once.

import { countOf } from "../../graph/symbols";
import { normalizeAxis } from "../axes";
import { scalesOf } from "../epilogue";
import { numberOf, type Op, opError } from "../op";
import { packBlocks, packInt4, packInt8 } from "./packed-weights";

/** Rows of a constant table [n, k] of i8 codes, along axis 0. */
export const gatherOfCodes = {
  lowerInteger({ node, inputs, outputs, integer }, c) {
    const [table, indices] = [c.constant(inputs[0]!), c.type(inputs[1]!)];
    const [codes, other] = integer!.inputs;
    const rank = table?.shape.length ?? 0;
    const isRows = rank === 2 && normalizeAxis(node, numberOf(node, "axis", 0), rank) === 0;
    if (!table || !isRows || codes?.dtype !== "i8" || codes.dynamic || other || integer!.output)
      throw opError(node, "rows of codes are those of a constant table", {
        expected: "i8 [n, k] with scales of its rows or groups, along axis 0, to floats",
        got: table ? `${table.dtype} [${table.shape}]` : "a computed table",
      });
    if (indices.dtype !== "i32")
      throw opError(node, "its indices do not fit", { expected: "i32", got: indices.dtype });
    const [n, k] = table.shape as [number, number];
    if (!codes.zeroPoint.every((zero) => zero === (codes.groups ? 0 : 128)))
      throw opError(node, "a table of codes is symmetric", { expected: "zero points of 0" });
    if (!codes.groups && codes.scale.length !== 1 && codes.scale.length !== n)
      throw opError(node, "a table has one scale, or one a row", { got: `${codes.scale.length} scales` });
    c.needs(n, outputs[0]!);
    const count = countOf(indices.shape);
    const [y, at] = [c.output(outputs[0]!), c.input(inputs[1]!)];
    const hasOffsets = codes.groups?.offsets === undefined ? 0 : 1;
    if (codes.groups && codes.scale.length === 0) {
      const blocks = packBlocks(c, node, table, codes);
      return c.emit("gatherBlocks", [y, blocks, at, n, k, codes.groups.size, hasOffsets], count);
    }
    const scale = scalesOf(c, codes, n);
    if (!codes.groups) return c.emit("gatherInt8", [y, packInt8(c, table).packed, scale, at, n, k], count);
    const { packed } = packInt4(c, node, table, codes);
    c.emit("gatherInt4", [y, packed, scale, at, n, k, hasOffsets], count);
  },
} satisfies Partial<Op>;
