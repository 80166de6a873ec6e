// Where every buffer of a plan lies. Constants stand one after another; arena buffers share addresses when their
// lifetimes allow it, placed greedily from the largest on (Pisarchyk & Lee 2020, arXiv:2001.03288).

import { OctetteError } from "../errors";
import type { Buffer } from "../ops/op";

/** Alignment of every buffer, in bytes: a cache line. */
export const ALIGNMENT = 64;
/** Kernels may read this many bytes past the end of an operand. */
export const SLACK = 64;
/** Largest memory a 32-bit wasm module can address, in bytes. */
export const MAX_MEMORY_BYTES = 2 ** 32 - 65536;

export const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

export interface MemoryMap {
  /** First byte of each area; address 0 stays free, it means "no operand". */
  readonly constantsAt: number;
  readonly arenaAt: number;
  readonly addresses: ReadonlyMap<Buffer, number>;
  readonly constantBytes: number;
  readonly arenaBytes: number;
  /** All of it, slack included, rounded up to a wasm page. */
  readonly totalBytes: number;
}

const aliveTogether = (a: Buffer, b: Buffer) => a.first <= b.last && b.first <= a.last;

/** Lays out constants and arena; `stagingBytes` is what loading needs of the arena before anything runs. */
export function planMemory(buffers: readonly Buffer[], stagingBytes: number): MemoryMap {
  const addresses = new Map<Buffer, number>();
  let top = ALIGNMENT;
  for (const buffer of buffers) {
    if (buffer.area !== "constants") continue;
    addresses.set(buffer, top);
    top += align(buffer.bytes);
  }
  const arenaAt = top;
  let arenaBytes = align(stagingBytes);
  const placed: Buffer[] = [];
  const arena = buffers.filter((b) => b.area === "arena" && b.first <= b.last);
  for (const buffer of arena.sort((a, b) => b.bytes - a.bytes || a.first - b.first)) {
    const neighbours = placed
      .filter((other) => aliveTogether(buffer, other))
      .map((other) => ({ from: addresses.get(other)!, to: addresses.get(other)! + align(other.bytes) }))
      .sort((a, b) => a.from - b.from);
    let at = arenaAt;
    for (const { from, to } of neighbours) {
      if (from - at >= align(buffer.bytes)) break;
      at = Math.max(at, to);
    }
    addresses.set(buffer, at);
    placed.push(buffer);
    arenaBytes = Math.max(arenaBytes, at + align(buffer.bytes) - arenaAt);
  }
  const totalBytes = Math.ceil((arenaAt + arenaBytes + SLACK) / 65536) * 65536;
  if (totalBytes > MAX_MEMORY_BYTES)
    throw new OctetteError("the model does not fit into 32-bit memory", {
      code: "limit",
      expected: `at most ${MAX_MEMORY_BYTES} bytes`,
      got: `${totalBytes} bytes`,
      hint: "Lower the maximum batch: load(bytes, { maxima: { batch: 1 } })",
    });
  return {
    constantsAt: ALIGNMENT,
    arenaAt,
    addresses,
    constantBytes: arenaAt - ALIGNMENT,
    arenaBytes,
    totalBytes,
  };
}

/** Two buffers that live at once and share a byte, or undefined. Shares no code with the placement above. */
export function findOverlap(
  buffers: readonly Buffer[],
  map: MemoryMap,
): readonly [Buffer, Buffer] | undefined {
  const lives = buffers.filter((b) => b.area === "constants" || (b.area === "arena" && b.first <= b.last));
  for (const [i, a] of lives.entries())
    for (const b of lives.slice(i + 1)) {
      const [from, other] = [map.addresses.get(a)!, map.addresses.get(b)!];
      const apart = from + a.bytes <= other || other + b.bytes <= from;
      const always = a.area === "constants" || b.area === "constants";
      if (!apart && (always || !(a.last < b.first || b.last < a.first))) return [a, b];
    }
  return undefined;
}
