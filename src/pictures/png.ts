// PNG (W3C, Portable Network Graphics, third edition): all colour types, depths and interlacing, as bytes of 8 bits. The size of the
// inflated rows follows from the header and is held to, so that a small file cannot take much memory: fast-png, which is well kept,
// inflates without a bound.

import { FormatError } from "../errors";
import { checkCrc32, inflateUnchecked } from "../formats/inflate";
import { orientationIn, upright } from "./orientation";
import { checkPixels, type Picture } from "./picture";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10];

export const isPng = (bytes: Uint8Array): boolean => SIGNATURE.every((byte, i) => bytes[i] === byte);

/** Samples a pixel and depths, by colour type (section 11.2.1). */
const types = new Map<number, readonly [samples: number, depths: readonly number[]]>([
  [0, [1, [1, 2, 4, 8, 16]]],
  [2, [3, [8, 16]]],
  [3, [1, [1, 2, 4, 8]]],
  [4, [2, [8, 16]]],
  [6, [4, [8, 16]]],
]);
const PALETTE = 3;

/** First pixel and steps of each pass, across and down (section 8). */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const WHOLE = [[0, 0, 1, 1]] as const;

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly type: number;
  readonly samples: number;
  readonly isInterlaced: boolean;
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  readonly offset: number;
}

/** The chunks up to IEND. Those that a picture needs have their checksums checked. */
function* chunksOf(bytes: Uint8Array, where: string): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE.length; ; ) {
    if (at + 12 > bytes.length)
      throw new FormatError("truncated", { where, offset: bytes.length, expected: "a chunk IEND" });
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length)
      throw new FormatError("truncated", {
        where,
        offset: at,
        expected: `a chunk of ${length} bytes`,
        got: `${bytes.length - at - 12}`,
      });
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const isCritical = (bytes[at + 4]! & 32) === 0;
    if (isCritical) checkCrc32(bytes.subarray(at + 4, end), view.getUint32(end), where, at);
    yield { type, data: bytes.subarray(at + 8, end), offset: at };
    if (type === "IEND") return;
    at = end + 4;
  }
}

function readHeader({ type: chunk, data, offset }: Chunk, where: string): Header {
  const fail = (expected: string, got: string): never => {
    throw new FormatError("not a header of a PNG", { where, offset, expected, got });
  };
  if (chunk !== "IHDR" || data.length !== 13) fail("a chunk IHDR of 13 bytes", `${chunk} of ${data.length}`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, type, compression, filter, interlace] = data.subarray(8) as unknown as number[];
  const [samples, depths] = types.get(type!) ?? [0, []];
  if (width === 0 || height === 0) fail("a size", `${width} × ${height}`);
  if (!depths.includes(depth!)) fail("a known colour type and depth", `type ${type}, ${depth} bits`);
  if (compression !== 0 || filter !== 0 || interlace! > 1)
    fail("deflate, filter method 0, interlacing of 0 or 1", `${compression}, ${filter}, ${interlace}`);
  return { width, height, depth: depth!, type: type!, samples, isInterlaced: interlace === 1 };
}

/**
 * Reads a picture: grey, grey and alpha, RGB or RGBA, as the file has it. Colours of a palette become RGB; of 16 bits the upper 8 are
 * kept; transparency that the file gives beside its colours is left out. The picture is turned as its EXIF orientation says.
 * @throws FormatError where the bytes are no PNG or damaged; OctetteError "limit" beyond MAX_PICTURE_PIXELS.
 */
export function readPng(bytes: Uint8Array, where = "png"): Picture {
  if (!isPng(bytes)) throw new FormatError("not a PNG", { where, offset: 0 });
  const chunks = chunksOf(bytes, where);
  const header = readHeader(chunks.next().value as Chunk, where);
  const { width, height, type } = header;
  checkPixels(width, height, where);
  const parts: Uint8Array[] = [];
  let palette: Uint8Array | undefined;
  let orientation = 1;
  for (const { type: chunk, data, offset } of chunks) {
    if (chunk === "PLTE") palette = data;
    else if (chunk === "IDAT") parts.push(data);
    else if (chunk === "eXIf") orientation = orientationIn(data) ?? 1;
    else if (/^[A-Z]/.test(chunk) && chunk !== "IEND")
      throw new FormatError("a chunk that is not read", { where, offset, got: JSON.stringify(chunk) });
  }
  const compressed = joined(parts);
  // Two bytes of zlib before deflate and a checksum of four after it; the chunks have checksums of their own.
  if (compressed.length < 6 || (compressed[0]! & 15) !== 8)
    throw new FormatError("no picture in it", { where, expected: "zlib in chunks IDAT" });
  const passes = passesOf(header);
  const size = passes.reduce((sum, { columns, rows }) => sum + rows * (1 + lineBytes(header, columns)), 0);
  const rows = inflateUnchecked(compressed.subarray(2, -4), size, where, SIGNATURE.length);
  const samples = samplesOf(rows, header, passes, where);
  const colours = type === PALETTE ? coloursOf(samples, palette, where) : samples;
  return upright({ width, height, data: colours }, orientation);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

interface Pass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly columns: number;
  readonly rows: number;
}

function passesOf({ width, height, isInterlaced }: Header): Pass[] {
  return (isInterlaced ? ADAM7 : WHOLE)
    .map(([x, y, dx, dy]) => {
      const [columns, rows] = [Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)];
      return { x, y, dx, dy, columns, rows };
    })
    .filter(({ columns, rows }) => columns > 0 && rows > 0);
}

const lineBytes = ({ samples, depth }: Header, columns: number): number =>
  Math.ceil((columns * samples * depth) / 8);

/** Samples of 8 bits in the picture's order, of rows that are filtered (section 9). Rows are put right in place. */
function samplesOf(rows: Uint8Array, header: Header, passes: readonly Pass[], where: string): Uint8Array {
  const { width, height, samples, depth, type } = header;
  const out = new Uint8Array(width * height * samples);
  const before = Math.max(1, (samples * depth) >> 3);
  // Of fewer than 8 bits, grey is spread over 0 … 255; places in a palette stay.
  const factor = depth < 8 && type !== PALETTE ? 255 / ((1 << depth) - 1) : 1;
  let at = 0;
  for (const { x, y, dx, dy, columns, rows: count } of passes) {
    const length = lineBytes(header, columns);
    let above: Uint8Array | undefined;
    for (let row = 0; row < count; row++, at += length + 1) {
      const line = rows.subarray(at + 1, at + 1 + length);
      if (!unfilter(line, above, rows[at]!, before))
        throw new FormatError("an unknown filter of a row", { where, got: `${rows[at]}` });
      above = line;
      let to = ((y + row * dy) * width + x) * samples;
      const step = (dx - 1) * samples;
      for (let column = 0, sample = 0; column < columns; column++, to += step)
        for (let c = 0; c < samples; c++, sample++) out[to++] = sampleAt(line, sample, depth) * factor;
    }
  }
  return out;
}

/** Of 16 bits the upper 8. */
function sampleAt(line: Uint8Array, sample: number, depth: number): number {
  if (depth === 8) return line[sample]!;
  if (depth === 16) return line[2 * sample]!;
  const bit = sample * depth;
  return (line[bit >> 3]! >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}

/** Puts the bytes of a row right; `before` is the distance to those of the pixel before. False where the filter is unknown. */
function unfilter(line: Uint8Array, above: Uint8Array | undefined, filter: number, before: number): boolean {
  const { length } = line;
  if (filter > 4) return false;
  if (filter === 0 || (filter === 2 && !above)) return true;
  for (let i = 0; i < length; i++) {
    const left = i < before ? 0 : line[i - before]!;
    const up = above ? above[i]! : 0;
    if (filter === 1) line[i] = line[i]! + left;
    else if (filter === 2) line[i] = line[i]! + up;
    else if (filter === 3) line[i] = line[i]! + ((left + up) >> 1);
    else line[i] = line[i]! + paeth(left, up, i < before || !above ? 0 : above[i - before]!);
  }
  return true;
}

/** The neighbour that is nearest to left + up − corner (section 9.4). */
function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const a = Math.abs(estimate - left);
  const b = Math.abs(estimate - up);
  const c = Math.abs(estimate - corner);
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

function coloursOf(places: Uint8Array, palette: Uint8Array | undefined, where: string): Uint8Array {
  const out = new Uint8Array(3 * places.length);
  const colours = (palette?.length ?? 0) / 3;
  if (!palette || !Number.isInteger(colours))
    throw new FormatError("the palette is missing or damaged", { where });
  for (let i = 0; i < places.length; i++) {
    const place = places[i]!;
    if (place >= colours)
      throw new FormatError("a colour that the palette does not have", {
        where,
        expected: `below ${colours}`,
        got: `${place}`,
      });
    out[3 * i] = palette[3 * place]!;
    out[3 * i + 1] = palette[3 * place + 1]!;
    out[3 * i + 2] = palette[3 * place + 2]!;
  }
  return out;
}
