// From the pixels of a canvas to what a model is fed with.

import type { Feed } from "../../engine/feeds";
import type { Input } from "../../graph/graph";
import type { ImageKind } from "./kinds";
import type { Known } from "./settings";

/** How levels of 0 … 1 become numbers, for models that do not say it: a scale, and a mean and std a channel. */
export interface Levels {
  readonly name: string;
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const UNIT: Levels = { name: "0 … 1", scale: 1, mean: [0], std: [1] };
const SIGNED: Levels = { name: "−1 … 1", scale: 1, mean: [0.5], std: [0.5] };
const BYTES: Levels = { name: "0 … 255", scale: 255, mean: [0], std: [1] };
/** Of torchvision's models for ImageNet. */
const IMAGENET: Levels = {
  name: "ImageNet mean and deviation",
  scale: 1,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** The choices for floats that a model does not normalize, the likeliest first. */
export function levelsFor({ range }: Known, channels: number): readonly Levels[] {
  const all = channels === 3 ? [UNIT, SIGNED, BYTES, IMAGENET] : [UNIT, SIGNED, BYTES];
  const likely = range ? likeliest(range, channels) : UNIT;
  return [likely, ...all.filter((levels) => levels !== likely)];
}

function likeliest([lo, hi]: readonly [number, number], channels: number): Levels {
  if (hi > 20) return BYTES;
  if (channels === 3 && lo < -1.3) return IMAGENET;
  return lo < -0.3 ? SIGNED : UNIT;
}

/** The largest number of data that are multiplied by this scale: 16 for 1/16, as small scans have; else that of bytes. */
const whiteOf = (scale: number) => (1 / scale <= 64 && scale < 1 ? Math.round(1 / scale) : 255);

/** What an input is fed with, of pixels that have its size. `levels` says what floats are where the model does not. */
export function feedOf(
  input: Input,
  { channels, isLast }: ImageKind,
  image: ImageData,
  levels: Levels,
): Feed {
  const { width, height } = image;
  const { dtype, preprocessing } = input;
  const count = width * height;
  const isByte = dtype === "u8" || (preprocessing !== undefined && !preprocessing.of);
  const data = isByte
    ? new Uint8Array(count * channels)
    : dtype === "i8"
      ? new Int8Array(count * channels)
      : new Float32Array(count * channels);
  const white = preprocessing ? whiteOf(preprocessing.scale) : 255;
  const number = (byte: number, channel: number) => {
    if (dtype === "i8") return byte - 128;
    if (preprocessing || isByte) return isByte ? Math.round((byte / 255) * white) : (byte / 255) * white;
    const at = (list: readonly number[]) => list[channel % list.length]!;
    return ((byte / 255) * levels.scale - at(levels.mean)) / at(levels.std);
  };
  const takesLast = preprocessing?.layout === "nhwc" || isLast;
  for (let pixel = 0; pixel < count; pixel++)
    for (let channel = 0; channel < channels; channel++) {
      const byte = channels === 1 ? grey(image.data, 4 * pixel) : image.data[4 * pixel + channel]!;
      data[takesLast ? pixel * channels + channel : channel * count + pixel] = number(byte, channel);
    }
  const sides = takesLast ? [height, width, channels] : [channels, height, width];
  const type = data instanceof Uint8Array ? "u8" : data instanceof Int8Array ? "i8" : "f32";
  return { dtype: type, shape: input.shape.length === 4 ? [1, ...sides] : sides, data };
}

/** Luma of ITU-R BT.601, in 16 bits as PIL computes it. */
const grey = (rgba: Uint8ClampedArray, at: number) =>
  (rgba[at]! * 19595 + rgba[at + 1]! * 38470 + rgba[at + 2]! * 7471 + 0x8000) >> 16;

/** Light becomes dark. */
export function inverted(image: ImageData): ImageData {
  for (let at = 0; at < image.data.length; at++) if (at % 4 < 3) image.data[at] = 255 - image.data[at]!;
  return image;
}
