// Where every buffer of a plan lies. Constants stand one after another; arena buffers share addresses when their
// lifetimes allow it, placed greedily from the largest on (Pisarchyk & Lee 2020, arXiv:2001.03288).

import { OctetteError } from "../errors";
import type { Buffer } from "../ops/op";

/** Alignment of every buffer, in bytes: a cache line. */
export const ALIGNMENT = 64;
/** Kernels may read this many bytes past the end of an operand. */
export const SLACK = 64;
/** Bytes by which wasm memory is measured. */
export const PAGE = 65536;
/** Largest memory a 32-bit wasm module can address, in bytes. */
export const MAX_MEMORY_BYTES = 2 ** 32 - PAGE;

export const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** A buffer whose size is known. */
export interface SizedBuffer extends Buffer {
  readonly bytes: number;
}

export interface MemoryMap {
  /** First byte of each area; address 0 stays free, it means "no operand". */
  readonly constantsAt: number;
  readonly arenaAt: number;
  readonly addresses: ReadonlyMap<SizedBuffer, number>;
  readonly constantBytes: number;
  readonly arenaBytes: number;
  /** Where the scratch of further threads begins. */
  readonly scratchAt: number;
  /** All of it, slack included, rounded up to a wasm page. */
  readonly totalBytes: number;
}

interface Placed {
  readonly buffer: SizedBuffer;
  readonly from: number;
  readonly to: number;
}

/** Index after the last one that begins at or below `address`. */
function placeAfter(placed: readonly Placed[], address: number): number {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (placed[middle]!.from <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}

const aliveTogether = (a: Buffer, b: Buffer) => a.first <= b.last && b.first <= a.last;

/**
 * Lays out constants, arena and what further threads need behind it; `stagingBytes` is what loading needs of the arena
 * before anything runs.
 */
export function planMemory(
  buffers: readonly SizedBuffer[],
  stagingBytes: number,
  scratchBytes = 0,
): MemoryMap {
  const addresses = new Map<SizedBuffer, number>();
  let top = ALIGNMENT;
  for (const buffer of buffers) {
    if (buffer.area !== "constants") continue;
    addresses.set(buffer, top);
    top += align(buffer.bytes);
  }
  const arenaAt = top;
  let arenaBytes = align(stagingBytes);
  /** By address. */
  const placed: Placed[] = [];
  const arena = buffers.filter((b) => b.area === "arena" && b.first <= b.last);
  for (const buffer of arena.sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    const bytes = align(buffer.bytes);
    let at = arenaAt;
    // By index: an iterator would leave an object for every pair of buffers.
    for (let i = 0; i < placed.length; i++) {
      const other = placed[i]!;
      if (!aliveTogether(buffer, other.buffer)) continue;
      if (other.from - at >= bytes) break;
      at = Math.max(at, other.to);
    }
    addresses.set(buffer, at);
    placed.splice(placeAfter(placed, at), 0, { buffer, from: at, to: at + bytes });
    arenaBytes = Math.max(arenaBytes, at + bytes - arenaAt);
  }
  const scratchAt = arenaAt + arenaBytes;
  const totalBytes = Math.ceil((scratchAt + scratchBytes + SLACK) / PAGE) * PAGE;
  checkTotal(totalBytes);
  return {
    constantsAt: ALIGNMENT,
    arenaAt,
    addresses,
    constantBytes: arenaAt - ALIGNMENT,
    arenaBytes,
    scratchAt,
    totalBytes,
  };
}

/** Throws where a model needs more memory than there can be. */
export function checkTotal(bytes: number): void {
  // Sizes beyond all numbers are NaN, which is not ≤ either.
  if (bytes <= MAX_MEMORY_BYTES) return;
  throw new OctetteError("the model does not fit into 32-bit memory", {
    code: "limit",
    expected: `at most ${MAX_MEMORY_BYTES} bytes`,
    got: `${bytes} bytes`,
    hint: "Lower the maximum batch: load(bytes, { maxima: { batch: 1 } })",
  });
}

/** Two buffers that live at once and share a byte, or undefined. Shares no code with the placement above. */
export function findOverlap(
  buffers: readonly SizedBuffer[],
  map: MemoryMap,
): readonly [SizedBuffer, SizedBuffer] | undefined {
  const lives = buffers
    .filter((b) => b.bytes > 0 && (b.area === "constants" || (b.area === "arena" && b.first <= b.last)))
    .map((buffer) => ({ buffer, from: map.addresses.get(buffer)! }))
    .sort((a, b) => a.from - b.from);
  for (const [i, { buffer: a, from }] of lives.entries())
    for (let j = i + 1; j < lives.length && lives[j]!.from < from + a.bytes; j++) {
      const b = lives[j]!.buffer;
      const always = a.area === "constants" || b.area === "constants";
      if (always || !(a.last < b.first || b.last < a.first)) return [a, b];
    }
  return undefined;
}
