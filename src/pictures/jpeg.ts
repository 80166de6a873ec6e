// JPEG (ITU-T T.81), baseline and progressive, grey, YCbCr, RGB, CMYK and YCCK. jpeg-js decodes it, which computes the same bytes on every
// engine. Before that the markers are read here: kinds of JPEG that it does not know, and files that would take memory or time beyond their
// size, are refused, and the orientation of a camera (EXIF) is found.

import decode from "jpeg-js/lib/decoder.js";
import { FormatError, OctetteError } from "../errors";
import { isMarkedExif, orientationIn, upright } from "./orientation";
import { checkPixels, type Picture } from "./picture";

export const isJpeg = (bytes: Uint8Array): boolean =>
  bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

/** Most scans of a progressive picture; encoders write about ten, and each goes over all blocks. */
export const MAX_JPEG_SCANS = 64;
/** Blocks of 8 × 8 that a byte may stand for: each takes a bit or more in the first scan. */
const MAX_BLOCKS_A_BYTE = 8;
/** Sampling factors are 1 to 4 (T.81, B.2.2). */
const MAX_SAMPLING = 4;

const [SOI, EOI, SOS, APP1] = [0xd8, 0xd9, 0xda, 0xe1];
/** Markers without a length. */
const isAlone = (marker: number) => (marker >= 0xd0 && marker <= SOI) || marker === 1;

const KINDS: Readonly<Record<number, string>> = {
  195: "lossless",
  197: "hierarchical",
  198: "hierarchical",
  199: "hierarchical",
  201: "arithmetic coding",
  202: "arithmetic coding",
  203: "arithmetic coding",
  205: "arithmetic coding",
  206: "arithmetic coding",
  207: "arithmetic coding",
};

interface Markers {
  readonly isComplete: boolean;
  /** 1 to 8, as EXIF numbers the ways a camera may be held. */
  readonly orientation: number;
}

/** Reads a file's markers. Throws where it cannot be decoded, or would cost too much. */
function readMarkers(bytes: Uint8Array, where: string): Markers {
  let orientation = 1;
  let [frames, scans] = [0, 0];
  let at = 2;
  while (at + 4 <= bytes.length) {
    const marker = bytes[at + 1]!;
    if (bytes[at] !== 0xff) throw new FormatError("not a marker", { where, offset: at, got: `${bytes[at]}` });
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (isAlone(marker)) {
      at += 2;
      continue;
    }
    if (marker === EOI) break;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const segment = bytes.subarray(at + 4, at + 2 + length);
    if (length < 2 || segment.length !== length - 2)
      throw new FormatError("truncated", { where, offset: at, expected: `a segment of ${length} bytes` });
    const kind = KINDS[marker];
    if (kind) throw unsupported(kind, where);
    if (marker >= 0xc0 && marker <= 0xc2) {
      if (frames++ > 0) throw new FormatError("two pictures in one", { where, offset: at });
      checkFrame(segment, bytes.length, where, at);
    }
    if (marker === APP1 && isMarkedExif(segment)) orientation = orientationIn(segment) ?? orientation;
    at += 2 + length;
    if (marker !== SOS) continue;
    if (frames === 0) throw new FormatError("a scan before its frame", { where, offset: at });
    if (++scans > MAX_JPEG_SCANS)
      throw new OctetteError("too many scans", {
        code: "limit",
        where,
        expected: `at most MAX_JPEG_SCANS = ${MAX_JPEG_SCANS}`,
      });
    at = endOfScan(bytes, at);
  }
  if (scans === 0) throw new FormatError("no picture in it", { where, offset: at, expected: "a scan" });
  return { isComplete: bytes[at + 1] === EOI, orientation };
}

const unsupported = (kind: string, where: string) =>
  new OctetteError(`a kind of JPEG that is not read: ${kind}`, {
    code: "unsupported",
    where,
    expected: "baseline or progressive, of 8 bits",
    hint: "Save it again with another program, for example Pillow",
  });

/** Where the next marker is that does not belong to a scan. */
function endOfScan(bytes: Uint8Array, start: number): number {
  for (let at = bytes.indexOf(0xff, start); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1]!;
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return bytes.length;
}

function checkFrame(segment: Uint8Array, size: number, where: string, offset: number): void {
  const number = (i: number) => (segment[i]! << 8) | segment[i + 1]!;
  const [precision, height, width, components] = [segment[0]!, number(1), number(3), segment[5]!];
  if (segment.length < 6 || segment.length < 6 + 3 * components)
    throw new FormatError("the header of the picture is too short", { where, offset });
  if (precision !== 8) throw unsupported(`${precision} bits`, where);
  if (width === 0 || height === 0)
    throw new FormatError("the picture has no size", { where, offset, got: `${width} × ${height}` });
  if (components !== 1 && components !== 3 && components !== 4)
    throw unsupported(`${components} channels`, where);
  checkPixels(width, height, where);
  const factors = Array.from({ length: components }, (_, i) => segment[7 + 3 * i]!);
  const [across, down] = [factors.map((f) => f >> 4), factors.map((f) => f & 15)];
  if ([...across, ...down].some((f) => f < 1 || f > MAX_SAMPLING))
    throw new FormatError("sampling factors out of range", {
      where,
      offset,
      expected: `1 to ${MAX_SAMPLING}`,
    });
  const units = Math.ceil(width / 8 / Math.max(...across)) * Math.ceil(height / 8 / Math.max(...down));
  const blocks = units * across.reduce((sum, f, i) => sum + f * down[i]!, 0);
  if (blocks > MAX_BLOCKS_A_BYTE * size)
    throw new FormatError("truncated", {
      where,
      offset: size,
      expected: `${Math.ceil(blocks / MAX_BLOCKS_A_BYTE)} bytes or more for ${width} × ${height} pixels`,
      got: `${size}`,
    });
}

/**
 * Reads a picture as RGB, upright as the camera was held. Where colours were stored at half the size they are repeated, which differs from
 * libjpeg's smoother way by a few steps of 255 at edges.
 * @throws FormatError where the bytes are no JPEG, damaged or truncated; OctetteError "limit" beyond MAX_PICTURE_PIXELS or MAX_JPEG_SCANS,
 * "unsupported" for kinds of JPEG other than baseline and progressive.
 */
export function readJpeg(bytes: Uint8Array, where = "jpeg"): Picture {
  if (!isJpeg(bytes)) throw new FormatError("not a JPEG", { where, offset: 0 });
  const { isComplete, orientation } = readMarkers(bytes, where);
  if (!isComplete)
    throw new FormatError("truncated", { where, offset: bytes.length, expected: "a marker EOI at its end" });
  return upright(decoded(bytes, where), orientation);
}

function decoded(bytes: Uint8Array, where: string): Picture {
  try {
    // Limits of its own are not needed: the frame was checked.
    const unlimited = { maxResolutionInMP: Infinity, maxMemoryUsageInMB: Infinity };
    return decode(bytes, { ...unlimited, useTArray: true, formatAsRGBA: false, tolerantDecoding: false });
  } catch (cause) {
    throw new FormatError(`cannot be decoded (${(cause as Error).message})`, { where });
  }
}
