// How a picture becomes the pixels that a model takes: grey or RGB, resized, cut out of the middle, as torchvision's Resize and CenterCrop
// do with PIL's pictures.

import { OctetteError } from "../errors";
import type { Input, Preprocessing } from "../graph/graph";
import { formatShape } from "../graph/symbols";
import type { TypedArray } from "../graph/tensor";
import { FILTERS, type PictureOptions } from "./options";
import { type Channels, type Picture, withChannels } from "./picture";
import { type Filter, resize } from "./resize";

/** Largest side of a picture that is resized to or cropped to. */
const MAX_SIDE = 2 ** 14;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The pictures that an input takes. */
export interface PictureTarget extends Size {
  readonly channels: Channels;
  /** Whether the channels of a pixel lie side by side in what is fed. */
  readonly isChannelsLast: boolean;
  /** Shape of one picture as it is fed. */
  readonly sample: readonly number[];
  readonly resize: number | Size | "cover" | undefined;
  readonly filter: Filter;
}

/** A side, or both of `WIDTHxHEIGHT`. */
function parseSize(value: number | string, option: string): number | Size {
  const text = `${value}`;
  const sides = /^(\d+)(?:[x×](\d+))?$/.exec(text);
  const [width, height] = [Number(sides?.[1]), Number(sides?.[2] ?? sides?.[1])];
  if (sides && width >= 1 && height >= 1 && width <= MAX_SIDE && height <= MAX_SIDE)
    return sides[2] === undefined ? width : { width, height };
  throw new OctetteError("is not a size", {
    code: "argument",
    where: option,
    expected: `a whole number from 1 to ${MAX_SIDE}, or two as WIDTHxHEIGHT`,
    got: text,
  });
}

const squareOf = (size: number | Size): Size =>
  typeof size === "number" ? { width: size, height: size } : size;

/** Rows, columns and channels of an input that takes pictures; sides are undefined where a run may choose them. */
function imageOf(input: Input, asked: Size | undefined) {
  const side = (dim: number | string | undefined) => (typeof dim === "number" ? dim : undefined);
  const [, a, b, c] = input.shape;
  const isChannels = (dim: unknown): dim is Channels => dim === 1 || dim === 3;
  if (input.shape.length === 4 && isChannels(a)) return { channels: a, height: side(b), width: side(c) };
  if (input.shape.length === 4 && isChannels(c))
    return { channels: c, height: side(a), width: side(b), isChannelsLast: true };
  if (input.shape.length === 3) return { channels: 1 as const, height: side(a), width: side(b) };
  if (input.shape.length === 2 && typeof a === "number") {
    const square = asked ?? { width: Math.sqrt(a), height: Math.sqrt(a) };
    if (Number.isInteger(square.width) && square.width * square.height === a)
      return { channels: 1 as const, ...square };
  }
  throw new OctetteError(`the model's input "${input.name}" takes no pictures`, {
    code: "argument",
    where: "model",
    expected: "[batch, 1 or 3, height, width], or channels last",
    got: formatShape(input.shape),
  });
}

/** What pictures have to become for an input. Throws an OctetteError "argument" where options do not fit it. */
export function pictureTarget(
  input: Input,
  options: PictureOptions,
  preprocessing: Preprocessing | undefined,
): PictureTarget {
  const { filter = "bilinear" } = options;
  if (!FILTERS.includes(filter))
    throw new OctetteError("is not a filter", {
      code: "argument",
      where: "filter",
      expected: FILTERS.join(", "),
      got: `${filter}`,
    });
  const asked = options.crop === undefined ? undefined : squareOf(parseSize(options.crop, "crop"));
  const before = options.resize === undefined ? undefined : parseSize(options.resize, "resize");
  const image = imageOf(input, asked);
  const exact = typeof before === "object" ? before : undefined;
  const width = image.width ?? asked?.width ?? exact?.width;
  const height = image.height ?? asked?.height ?? exact?.height;
  if (width === undefined || height === undefined)
    throw new OctetteError(`the model's input "${input.name}" has no size of its own`, {
      code: "argument",
      where: "crop",
      expected: "a size that all pictures get",
      got: formatShape(input.shape),
      hint: "Say it with crop (--crop 224), or with resize as WIDTHxHEIGHT",
    });
  if (asked && (asked.width !== width || asked.height !== height))
    throw new OctetteError("does not fit the model's input", {
      code: "argument",
      where: "crop",
      expected: `${width}x${height}`,
      got: `${asked.width}x${asked.height}`,
    });
  const { channels } = image;
  const isChannelsLast = preprocessing?.layout === "nhwc" || "isChannelsLast" in image;
  const shapes = [
    [width * height],
    [height, width],
    isChannelsLast ? [height, width, channels] : [channels, height, width],
  ];
  const sample = shapes[input.shape.length - 2]!;
  const size = before ?? (asked ? undefined : "cover");
  return { width, height, channels, isChannelsLast, sample, resize: size, filter };
}

/** Size that a picture is resized to before it is cropped; torchvision cuts fractions off. */
function resizedTo({ width, height }: Picture, target: PictureTarget): Size {
  const { resize: to } = target;
  if (to === undefined) return { width, height };
  if (typeof to === "object") return to;
  const isWider = to === "cover" ? width * target.height >= height * target.width : width > height;
  const side = to === "cover" ? (isWider ? target.height : target.width) : to;
  return isWider
    ? { height: side, width: Math.max(1, Math.trunc((side * width) / height)) }
    : { width: side, height: Math.max(1, Math.trunc((side * height) / width)) };
}

/** Half of what is cut off, rounded as Python does: halves to the even number. */
function roundedHalf(rest: number): number {
  const half = Math.floor(rest / 2);
  return rest % 2 === 0 || half % 2 === 0 ? half : half + 1;
}

/** Writes a picture as an input takes it to `out`, from `at` on. `where` is its name for errors. */
export function preparePicture(
  picture: Picture,
  target: PictureTarget,
  out: TypedArray,
  at: number,
  where: string,
): void {
  const { width, height, channels, isChannelsLast, filter } = target;
  const plain = withChannels(picture, channels, where);
  const size = resizedTo(plain, target);
  if (size.width < width || size.height < height || size.width > MAX_SIDE || size.height > MAX_SIDE)
    throw new OctetteError("the picture cannot be cropped to the model's input", {
      code: "argument",
      where,
      expected: `from ${width}x${height} to ${MAX_SIDE}x${MAX_SIDE}`,
      got: `${size.width}x${size.height}`,
      hint: "Resize it first, with resize (--resize)",
    });
  const left = roundedHalf(size.width - width);
  const top = roundedHalf(size.height - height);
  const { data } = resize(plain, channels, size.width, size.height, filter, { left, top, width, height });
  if (isChannelsLast || channels === 1) return out.set(data, at);
  const pixels = width * height;
  for (let c = 0; c < channels; c++)
    for (let i = 0, from = c; i < pixels; i++, from += channels) out[at + c * pixels + i] = data[from]!;
}
