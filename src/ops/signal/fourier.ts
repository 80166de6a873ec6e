// Fourier transforms as products of matrices: rows of signals times waves, which are computed here. A transform of n points takes n² products, at
// the speed of the fastest kernel there is; for the frames of speech that is as fast as splitting it up.

import type { Node } from "../../graph/graph";
import { countOf, type Dim, multiplyDims } from "../../graph/symbols";
import { opError } from "../op";
import { ofTurn } from "./turn";

/** Most numbers of the waves of one transform: 64 MiB. */
const MOST_NUMBERS = 2 ** 24;

/** Sizes are numbers, or dimensions over symbols where only a type is asked for. */
export interface Transform<Size extends Dim = number> {
  readonly points: Size;
  /** Elements of a signal that are read: others are zeros. */
  readonly read: Size;
  /** Numbers of an element of the signal, and of the result. */
  readonly from: 1 | 2;
  readonly to: 1 | 2;
  /** Elements of the result. */
  readonly made: Size;
  readonly isInverse: boolean;
  /** The signal is the first half of a symmetric one. */
  readonly isHalf: boolean;
}

/** Checks that a transform's waves are not too many, where they are known. */
export function checkTransform(node: Node, { read, from, made, to }: Transform<Dim>): void {
  const numbers = countOf([read, from, made, to]);
  if (typeof numbers === "string" || numbers <= MOST_NUMBERS) return;
  throw opError(node, "its transform is too long", {
    expected: `at most ${MOST_NUMBERS} products`,
    got: `${multiplyDims(read, from)} by ${multiplyDims(made, to)}`,
  });
}

/** Weights [made · to, read · from]: result k is Σ_n x[n] · e^(∓2πi·k·n/points), of an inverse over `points`. Signals are multiplied by `window`. */
export function wavesOf(
  { points, read, from, to, made, isInverse, isHalf }: Transform,
  window?: ArrayLike<number>,
): Float32Array {
  const waves = new Float32Array(made * to * read * from);
  const table = Array.from({ length: points }, (_, k) => ofTurn(isInverse ? k : -k, points));
  for (let k = 0; k < made; k++)
    for (let n = 0; n < read; n++) {
      // The mirrored half of a symmetric signal adds the same real parts once more.
      const times = isHalf && n > 0 && 2 * n !== points ? 2 : 1;
      const scale = ((window?.[n] ?? 1) * times) / (isInverse ? points : 1);
      const [cosine, sine] = table[(k * n) % points]!;
      const at = (part: number) => (k * to + part) * read * from + n * from;
      waves[at(0)] = scale * cosine;
      if (from === 2) waves[at(0) + 1] = -scale * sine;
      if (to === 1) continue;
      waves[at(1)] = scale * sine;
      if (from === 2) waves[at(1) + 1] = scale * cosine;
    }
  return waves;
}
