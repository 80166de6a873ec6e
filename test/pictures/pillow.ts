// What Pillow 12.3 makes of pictures and of files: pictures of pseudo-random bytes, resized, and cropped as torchvision does; PNG files of
// every colour type, depth and interlacing; JPEG files. Pixels of a PNG are given by their hash, those of a JPEG as they are.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Picture } from "../../src/pictures/picture";
import type { Filter } from "../../src/pictures/resize";
import goldens from "./pillow.json";

type Size = readonly [width: number, height: number];

export interface ResizeCase {
  readonly from: Size;
  readonly to: Size;
  readonly channels: number;
  readonly filter: Filter;
  readonly sha256: string;
}
export interface PrepareCase {
  readonly from: Size;
  readonly resize: number;
  readonly crop: number;
  readonly filter: Filter;
  readonly sha256: string;
  readonly grey: string;
}
export interface FileCase {
  readonly name: string;
  readonly size: Size;
  readonly bytes: Uint8Array;
  /** Of the RGB pixels of a PNG. */
  readonly sha256?: string;
  /** The RGB pixels of a JPEG. */
  readonly pixels?: Uint8Array;
}

const { resize, prepare, files } = goldens as unknown as {
  readonly resize: readonly ResizeCase[];
  readonly prepare: readonly PrepareCase[];
  readonly files: readonly { name: string; file: string; size: Size; sha256?: string; pixels?: string }[];
};

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));

export const resizeCases = resize;
export const prepareCases = prepare;
export const fileCases: readonly FileCase[] = files.map(({ name, file, size, sha256, pixels }) => ({
  name,
  size,
  bytes: bytesOf(file),
  ...(sha256 === undefined ? {} : { sha256 }),
  ...(pixels === undefined ? {} : { pixels: bytesOf(pixels) }),
}));

export const fileNamed = (name: string): Uint8Array => fileCases.find((file) => file.name === name)!.bytes;

/** The picture that Pillow was given: the upper bytes of a linear congruential generator. */
export function randomPicture([width, height]: Size, channels: number, seed: number): Picture {
  let state = seed;
  const data = Uint8Array.from({ length: width * height * channels }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  return { width, height, data };
}

export const hashOf = (bytes: ArrayLike<number>): string => bytesToHex(sha256(Uint8Array.from(bytes)));
