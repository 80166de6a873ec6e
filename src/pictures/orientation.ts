// How a camera was held, as EXIF says it (CIPA DC-008), and pictures turned upright.

import type { Picture } from "./picture";

/** Number of the tag in the first directory. */
const ORIENTATION = 0x0112;

/** Letters and zeros before EXIF: always in JPEG, and in PNG as some programs write it. */
const MARK = "Exif\0\0";
export const isMarkedExif = (bytes: Uint8Array): boolean =>
  String.fromCharCode(...bytes.subarray(0, MARK.length)) === MARK;

/** The orientation that EXIF states, 1 to 8; undefined where it states none. */
export function orientationIn(bytes: Uint8Array): number | undefined {
  const exif = isMarkedExif(bytes) ? bytes.subarray(MARK.length) : bytes;
  if (exif.length < 8) return undefined;
  const view = new DataView(exif.buffer, exif.byteOffset, exif.length);
  const isLittle = view.getUint16(0) === 0x4949;
  const start = view.getUint32(4, isLittle);
  if (start + 2 > view.byteLength) return undefined;
  const count = view.getUint16(start, isLittle);
  for (let i = 0, at = start + 2; i < count && at + 12 <= view.byteLength; i++, at += 12)
    if (view.getUint16(at, isLittle) === ORIENTATION) {
      const value = view.getUint16(at + 8, isLittle);
      return value >= 1 && value <= 8 ? value : undefined;
    }
  return undefined;
}

/** A picture turned and mirrored as its orientation says. */
export function upright(picture: Picture, orientation: number): Picture {
  const { width, height, data } = picture;
  if (orientation === 1) return { width, height, data };
  const isTurned = orientation > 4;
  const [newWidth, newHeight] = isTurned ? [height, width] : [width, height];
  // Whether the rows, and the columns, of the file run backwards.
  const isUpsideDown = [3, 4, 6, 7].includes(orientation);
  const isMirrored = [2, 3, 7, 8].includes(orientation);
  const channels = data.length / (width * height);
  const out = new Uint8Array(data.length);
  let to = 0;
  for (let y = 0; y < newHeight; y++)
    for (let x = 0; x < newWidth; x++) {
      const [column, row] = isTurned ? [y, x] : [x, y];
      const from =
        channels *
        ((isUpsideDown ? height - 1 - row : row) * width + (isMirrored ? width - 1 - column : column));
      for (let c = 0; c < channels; c++) out[to++] = data[from + c]!;
    }
  return { width: newWidth, height: newHeight, data: out };
}
