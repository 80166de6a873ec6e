// The differences of two tensors, coded so that zeros and small ones take few bytes.

import { bytesPerElement, type Tensor, type TypedArray, viewOf } from "../graph/tensor";
import { Odds, type RangeCoder } from "./range-coder";

/** Elements as integers of their width: floats as their bits, which are near for near numbers of one sign. */
const integersOf = ({ buffer, byteOffset, length }: TypedArray, width: number): TypedArray =>
  viewOf(width === 1 ? "i8" : "i32", buffer, byteOffset, length);

/**
 * `to − from`, wrapped, by planes: the lowest byte of every difference, then the next of every one. A sign is folded into
 * the lowest bit, so 0, −1, 1, −2 … are 0, 1, 2, 3 …
 */
export function differencesOf(from: Tensor, to: Tensor): Uint8Array {
  const width = bytesPerElement[from.dtype];
  const [a, b] = [integersOf(from.data, width), integersOf(to.data, width)];
  const unused = 32 - 8 * width;
  const planes = new Uint8Array(a.length * width);
  for (let i = 0; i < a.length; i++) {
    const difference = ((b[i]! - a[i]!) << unused) >> unused;
    const folded = (difference << 1) ^ (difference >> 31);
    for (let plane = 0; plane < width; plane++) planes[plane * a.length + i] = folded >>> (8 * plane);
  }
  return planes;
}

/** The tensor that differs from `from` by `planes`. */
export function addDifferences(from: Tensor, planes: Uint8Array): Tensor {
  const width = bytesPerElement[from.dtype];
  const data = from.data.slice();
  const [a, b] = [integersOf(from.data, width), integersOf(data, width)];
  for (let i = 0; i < a.length; i++) {
    let folded = 0;
    for (let plane = 0; plane < width; plane++) folded |= planes[plane * a.length + i]! << (8 * plane);
    b[i] = a[i]! + ((folded >>> 1) ^ -(folded & 1));
  }
  return { ...from, data };
}

/** Codes the planes of tensors, and learns from each what to expect of others of its type. */
export class PlaneCoder {
  readonly #coder: RangeCoder;
  readonly #changes = new Odds(1);
  readonly #bytes = new Map<string, ByteCoder>();

  constructor(coder: RangeCoder) {
    this.#coder = coder;
  }

  /** Writes planes, or fills them from what is read; whether there is any difference. */
  code({ dtype }: Tensor, planes: Uint8Array): boolean {
    const isChanged = planes.some((byte) => byte !== 0);
    if (!this.#coder.code(this.#changes, 0, isChanged ? 1 : 0)) return false;
    const length = planes.length / bytesPerElement[dtype];
    for (let plane = 0; plane < bytesPerElement[dtype]; plane++) {
      const bytes = this.#coderOf(`${dtype} ${plane}`);
      for (let i = plane * length; i < (plane + 1) * length; i++) planes[i] = bytes.code(planes[i]!);
    }
    return true;
  }

  #coderOf(kind: string): ByteCoder {
    const coder = this.#bytes.get(kind) ?? new ByteCoder(this.#coder);
    this.#bytes.set(kind, coder);
    return coder;
  }
}

/** Codes bytes: first whether there is one at all, by whether there were at the two places before, then its bits. */
class ByteCoder {
  readonly #coder: RangeCoder;
  readonly #some = new Odds(4);
  /** By the bits above it, with a 1 before them. */
  readonly #bits = new Odds(256);
  #before = 0;

  constructor(coder: RangeCoder) {
    this.#coder = coder;
  }

  code(byte: number): number {
    const some = this.#coder.code(this.#some, this.#before, byte === 0 ? 0 : 1);
    this.#before = ((this.#before << 1) | some) & 3;
    if (!some) return 0;
    let bits = 1;
    for (let shift = 7; shift >= 0; shift--)
      bits = (bits << 1) | this.#coder.code(this.#bits, bits, (byte >> shift) & 1);
    return bits & 255;
  }
}
