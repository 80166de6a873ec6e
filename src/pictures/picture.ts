// A picture: bytes, a row of pixels after the other, the channels of a pixel side by side, as PNG, JPEG and a page's ImageData have
// them. The limits that every decoder checks before it takes memory, and the conversions between channels.

import { OctetteError } from "../errors";

/** Most pixels of a picture: that of a camera of 64 megapixels. */
export const MAX_PICTURE_PIXELS = 2 ** 26;

/** Pixels as bytes. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Width × height pixels of 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA) bytes. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Channels that a model may want; 4 in pages alone, as Pillow resizes what is transparent in another way. */
export type Channels = 1 | 3 | 4;

/** Throws an OctetteError "limit" where a picture has more pixels than MAX_PICTURE_PIXELS. */
export function checkPixels(width: number, height: number, where: string): void {
  if (width * height <= MAX_PICTURE_PIXELS) return;
  throw new OctetteError("the picture is too large", {
    code: "limit",
    where,
    expected: `at most MAX_PICTURE_PIXELS = ${MAX_PICTURE_PIXELS} pixels`,
    got: `${width} × ${height}`,
    hint: "Make it smaller first",
  });
}

/** Bytes a pixel. Throws an OctetteError "argument" where size and bytes do not fit each other. */
export function channelsOf({ width, height, data }: Picture, where: string): number {
  const isSize = (side: unknown) => Number.isSafeInteger(side) && (side as number) > 0;
  const isBytes = ArrayBuffer.isView(data) && /^Uint8(Clamped)?Array$/.test(data[Symbol.toStringTag]);
  const channels = isBytes && isSize(width) && isSize(height) ? data.length / (width * height) : 0;
  if (channels === 1 || channels === 2 || channels === 3 || channels === 4) return channels;
  throw new OctetteError("is not a picture", {
    code: "argument",
    where,
    expected: "{ width, height, data }, data of width × height pixels of 1 to 4 bytes",
    got: isBytes ? `${width} × ${height} and ${data.length} bytes` : "no bytes",
  });
}

/**
 * A picture in grey, in RGB or in RGBA, as PIL's convert("L"), ("RGB") and ("RGBA") give it: alpha is left out or 255 where there is none, grey is
 * (19595 R + 38470 G + 7471 B + 32768) >> 16.
 */
export function withChannels(picture: Picture, wanted: Channels, where: string): Picture {
  const { width, height, data } = picture;
  const channels = channelsOf(picture, where);
  if (channels === wanted) return picture;
  const out = new Uint8Array(width * height * wanted);
  const isGrey = channels < 3;
  for (let from = 0, to = 0; to < out.length; from += channels) {
    const red = data[from]!;
    if (wanted === 1)
      out[to++] = isGrey
        ? red
        : (red * 19595 + data[from + 1]! * 38470 + data[from + 2]! * 7471 + 32768) >> 16;
    else {
      out[to++] = red;
      out[to++] = isGrey ? red : data[from + 1]!;
      out[to++] = isGrey ? red : data[from + 2]!;
      if (wanted === 4) out[to++] = channels % 2 === 0 ? data[from + channels - 1]! : 255;
    }
  }
  return { width, height, data: out };
}
