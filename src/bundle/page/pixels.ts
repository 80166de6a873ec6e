// From a picture to what a model is fed with: prepared as octette/pictures does, so that a page answers as the command line does, then as numbers.

import type { Feed } from "../../engine/feeds";
import type { Input } from "../../graph/graph";
import type { Picture } from "../../pictures/picture";
import { type PictureTarget, preparePicture } from "../../pictures/prepare";
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

/** A picture as a model sees it: its bytes in the order that the model takes. */
export interface PreparedPicture {
  readonly target: PictureTarget;
  readonly bytes: Uint8Array;
}

/** The middle of a picture, as large as fits, in this size; inverted: light becomes dark. */
export function prepared(
  picture: Picture,
  input: Input,
  { channels, isLast, width, height }: Pick<ImageKind, "channels" | "isLast" | "width" | "height">,
  isInverted = false,
): PreparedPicture {
  const isChannelsLast = input.preprocessing?.layout === "nhwc" || isLast;
  const sample = isChannelsLast ? [height, width, channels] : [channels, height, width];
  const size = { width, height, channels, isChannelsLast, sample };
  const target: PictureTarget = { ...size, resize: "cover", filter: "bilinear" };
  const bytes = new Uint8Array(width * height * channels);
  preparePicture(picture, target, bytes, 0, "the picture");
  if (isInverted)
    for (let i = 0; i < bytes.length; i++) if (channelAt(target, i) !== ALPHA) bytes[i] = 255 - bytes[i]!;
  return { target, bytes };
}

/** The fourth channel. */
const ALPHA = 3;

const channelAt = ({ isChannelsLast, channels, width, height }: PictureTarget, i: number) =>
  isChannelsLast ? i % channels : Math.floor(i / (width * height));

/** What a model sees, for people. */
export function shown({ target, bytes }: PreparedPicture): ImageData {
  const { width, height, channels, isChannelsLast } = target;
  const count = width * height;
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < count; pixel++)
    for (let channel = 0; channel < 4; channel++) {
      const own = channels === 1 ? 0 : channel;
      const byte = bytes[isChannelsLast ? pixel * channels + own : own * count + pixel];
      image.data[4 * pixel + channel] = channel === ALPHA && channels < 4 ? 255 : byte!;
    }
  return image;
}

/** The largest number of data that are multiplied by this scale: 16 for 1/16, as small scans have; else that of bytes. */
const whiteOf = (scale: number) => (1 / scale <= 64 && scale < 1 ? Math.round(1 / scale) : 255);

/** What an input is fed with. `levels` says what floats are where the model does not. */
export function feedOf(input: Input, { target, bytes }: PreparedPicture, levels: Levels): Feed {
  const { dtype, preprocessing } = input;
  const isByte = dtype === "u8" || (preprocessing !== undefined && !preprocessing.of);
  const white = preprocessing ? whiteOf(preprocessing.scale) : 255;
  const number = (byte: number, channel: number) => {
    if (dtype === "i8") return byte - 128;
    if (preprocessing || isByte) return isByte ? Math.round((byte / 255) * white) : (byte / 255) * white;
    const at = (list: readonly number[]) => list[channel % list.length]!;
    return ((byte / 255) * levels.scale - at(levels.mean)) / at(levels.std);
  };
  const { sample } = target;
  const shape = input.shape.length === 4 ? [1, ...sample] : sample;
  const numbers = (_: number, i: number) => number(bytes[i]!, channelAt(target, i));
  if (isByte) return { dtype: "u8", shape, data: Uint8Array.from(bytes, numbers) };
  if (dtype === "i8") return { dtype, shape, data: Int8Array.from(bytes, numbers) };
  return { dtype: "f32", shape, data: Float32Array.from(bytes, numbers) };
}
