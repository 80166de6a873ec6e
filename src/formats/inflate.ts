// Deflate and gzip (RFC 1951, 1952) with the output bounded before anything is allocated: the size comes from the
// container, must be one that deflate can reach, and decoding stops as soon as there is more. Checksums are checked.

import { Inflate } from "fflate";
import { FormatError, OctetteError } from "../errors";
import { crc32 } from "./crc32";

/** Deflate's best: 258 bytes for two bits, and a little for headers (RFC 1951 §3.2.5). */
const MAX_DEFLATE_RATIO = 1032;
/** Bytes that any file may unpack to, however small it is. */
const MIN_UNPACKED_BYTES = 2 ** 24;
/** Times its own size that a file may unpack to beyond those; data compress 2 to 20 times, what asks for memory 1000 times. */
export const MAX_UNPACK_RATIO = 40;

/** Bytes that a file of `packed` bytes may unpack to. */
export const unpackedLimit = (packed: number): number => MIN_UNPACKED_BYTES + MAX_UNPACK_RATIO * packed;

/** Input is fed in pieces of this size, so a bomb makes at most 1032 times as much at once. */
const PIECE_BYTES = 1 << 15;
/** A stored block may hold back 64 KiB; deflate that gives nothing for longer has ended. */
const MAX_SILENT_PIECES = 4;

/**
 * Inflates raw deflate to exactly `size` bytes with the CRC-32 `checksum`. `offset` is where `deflated` lies in
 * the file `where`.
 * @throws FormatError when it gives more, fewer or other bytes.
 */
export function inflateExactly(
  deflated: Uint8Array,
  size: number,
  checksum: number,
  where: string,
  offset: number,
): Uint8Array {
  const out = inflateUnchecked(deflated, size, where, offset);
  checkCrc32(out, checksum, where, offset);
  return out;
}

/** As `inflateExactly`, where the bytes that were deflated have a checksum. */
export function inflateUnchecked(
  deflated: Uint8Array,
  size: number,
  where: string,
  offset: number,
): Uint8Array {
  const fail = (what: string, expected: string, got: string): never => {
    throw new FormatError(what, { where, offset, expected, got });
  };
  if (size > MAX_DEFLATE_RATIO * (deflated.length + 1))
    fail(
      "sizes that deflate cannot reach",
      `at most ${MAX_DEFLATE_RATIO} times ${deflated.length} bytes`,
      `${size}`,
    );
  const out = new Uint8Array(size);
  let length = 0;
  let silent = 0;
  const inflate = new Inflate((piece) => {
    if (piece.length > size - length) fail("more data than the file says", `${size} bytes`, "more");
    out.set(piece, length);
    length += piece.length;
    silent = piece.length === 0 ? silent + 1 : 0;
  });
  try {
    for (let at = 0; at < deflated.length && silent <= MAX_SILENT_PIECES; at += PIECE_BYTES)
      inflate.push(deflated.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= deflated.length);
  } catch (error) {
    if (error instanceof OctetteError) throw error;
    throw new FormatError(`not deflate (${(error as Error).message})`, { where, offset });
  }
  if (length !== size) fail("less data than the file says", `${size} bytes`, `${length}`);
  return out;
}

export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * The content of a gzip file of one member.
 * @throws FormatError when it is not one, or holds more than `maxBytes`.
 */
export function gunzip(bytes: Uint8Array, maxBytes: number, where: string): Uint8Array {
  const fail = (
    what: string,
    offset: number,
    facts: { expected?: string; got?: string; hint?: string } = {},
  ): never => {
    throw new FormatError(what, { where, offset, ...facts });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const trailer = bytes.length - 8;
  if (trailer < 10 || !isGzip(bytes) || bytes[2] !== 8) fail("not gzip", 0);
  const flags = bytes[3]!;
  let at = 10;
  if (flags & 4) at = at + 2 <= trailer ? at + 2 + view.getUint16(at, true) : trailer;
  for (const flag of [8, 16]) // name, comment
    if (flags & flag) {
      const end = bytes.indexOf(0, at);
      at = end < 0 ? trailer : end + 1;
    }
  if (flags & 2) at += 2;
  if (at >= trailer) fail("truncated gzip header", bytes.length);
  const size = view.getUint32(trailer + 4, true);
  const most = Math.min(maxBytes, unpackedLimit(bytes.length));
  if (size > most)
    fail("too large when unpacked", trailer + 4, {
      expected: `at most ${most} bytes, MAX_UNPACK_RATIO = ${MAX_UNPACK_RATIO}`,
      got: `${size}`,
      hint: "Unpack the file",
    });
  return inflateExactly(bytes.subarray(at, trailer), size, view.getUint32(trailer, true), where, at);
}

/** @throws FormatError when the CRC-32 of `bytes` is not `expected`. */
export function checkCrc32(bytes: Uint8Array, expected: number, where: string, offset: number): void {
  const got = crc32(bytes);
  if (got !== expected)
    throw new FormatError("corrupted: the checksum differs", {
      where,
      offset,
      expected: `CRC-32 ${expected.toString(16)}`,
      got: got.toString(16),
    });
}
