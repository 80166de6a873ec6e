// Relative positions as T5 and MPNet have them (Raffel et al. 2020, arXiv:1910.10683, 2.1): each head adds a number to a score by the
// bucket of the distance between two tokens.

import { addDims, multiplyDims, subtractDims } from "../../graph/symbols";
import { portableLog } from "../portable-math";
import type { Rows } from "./weights";
import type { GraphWriter } from "./writer";

/** Distance from which all share a bucket. */
const MAX_DISTANCE = 128;

/** The bucket of a distance from a token to one `ahead` tokens behind it in the text; half of the buckets are for each direction. */
function bucketOf(ahead: number, buckets: number): number {
  const half = buckets / 2;
  const exact = half / 2;
  const distance = Math.abs(ahead);
  const first = ahead > 0 ? half : 0;
  if (distance < exact) return first + distance;
  // In f32, as those who trained with it: the edges of buckets depend on it.
  const growth = Math.fround(
    Math.fround(portableLog(distance / exact)) / Math.fround(portableLog(MAX_DISTANCE / exact)),
  );
  const far = exact + Math.trunc(Math.fround(growth * (half - exact)));
  return first + Math.min(far, half - 1);
}

/**
 * What is added to scores, the value `output` [1, heads, tokens, tokens], from the table `name` [buckets, heads]. Rows of all distances
 * are picked when the table is read. A run turns them into a matrix whose row i is shifted by i: it repeats 2·tokens numbers,
 * which begin with that of distance 0, in rows of 2·tokens − 1.
 */
export function relativeBias(
  writer: GraphWriter,
  name: string,
  heads: number,
  positions: number,
  output: string,
): string {
  const { weights } = writer;
  const [buckets = 0] = weights.shapeOf(name);
  const rows: Rows = Array.from({ length: 2 * positions }, (_, i) => {
    const bucket = bucketOf(i - positions, buckets);
    return [bucket, bucket + 1] as const;
  });
  const table = weights.add(`${name}.byDistance`, {
    tensors: [name],
    from: [buckets, heads],
    shape: [2 * positions, heads],
    rows,
  });
  const ahead = writer.slice(table, 0, positions, addDims(positions, "tokens"), `${output}.ahead`);
  const behind = writer.slice(table, 0, subtractDims(positions, "tokens"), positions, `${output}.behind`);
  const ring = writer.node("Concat", [ahead, behind], `${output}.ring`, { axis: 0 });
  const turned = writer.node("Transpose", [ring], `${output}.turned`, { perm: [1, 0] });
  const twice = multiplyDims("tokens", 2);
  const each = writer.reshape(turned, [heads, 1, twice], `${output}.each`);
  const repeated = writer.node("Expand", [each], `${output}.repeated`, { shape: [heads, "tokens", twice] });
  const flat = writer.reshape(repeated, [heads, multiplyDims(twice, "tokens")], `${output}.flat`);
  const width = subtractDims(twice, 1);
  const cut = writer.slice(flat, 1, 0, multiplyDims(width, "tokens"), `${output}.cut`);
  const shifted = writer.reshape(cut, [heads, "tokens", width], `${output}.shifted`);
  const square = writer.slice(shifted, 2, 0, "tokens", `${output}.square`);
  return writer.reshape(square, [1, heads, "tokens", "tokens"], output);
}
