// The product that a Fourier transform is, as a step.

import { gemmScratchBytes, packedBytes } from "../../../assembly/f32/sizes";
import { type Dim, multiplyDims } from "../../graph/symbols";
import { type Address, type Lowering, NONE } from "../op";
import { type Transform, wavesOf } from "./fourier";

/** y [rows, made · to] of signals at x, ldx numbers apart. */
export function transform(
  c: Lowering,
  of: Transform,
  rows: Dim,
  { y, x, ldx }: { readonly y: Address; readonly x: Address; readonly ldx: number },
  window?: ArrayLike<number>,
): void {
  const [n, k] = [of.made * of.to, of.read * of.from];
  const pack = () => {
    const packed = c.reserve(packedBytes(n, k));
    c.load("packWeights", [packed, c.stage(wavesOf(of, window)), n, 1, k, k, 0, 1]);
    return packed;
  };
  const packed = window ? pack() : c.once(`transform ${JSON.stringify(of)}`, pack);
  const scratch = c.scratch((most) => gemmScratchBytes(most(rows), k));
  c.emit(
    "gemm",
    [y, n, x, ldx, packed, NONE, scratch, n, k, -Infinity, Infinity],
    rows,
    multiplyDims(rows, n * k),
  );
}
