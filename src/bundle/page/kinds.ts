// Which control fits an input: found from its shape, its element type and its name.

import type { Input } from "../../graph/graph";

/** Pixels of a side that a picture has where the model takes any size. */
const ANY_SIDE = 224;
/** Least pixels of a side: smaller grids are numbers, not pictures. */
const LEAST_SIDE = 4;
/** Least samples that are taken for a sound where the name says nothing. */
const LEAST_SOUND = 4000;
/** Most numbers that have a slider each. */
export const MOST_SLIDERS = 64;

export interface ImageKind {
  readonly kind: "image";
  readonly channels: 1 | 3 | 4;
  readonly height: number;
  readonly width: number;
  /** Whether the model itself takes channels last, as TensorFlow Lite's do. */
  readonly isLast: boolean;
  /** Whether height and width are what the picture has. */
  readonly isAnySize: boolean;
}

export type ControlKind =
  | ImageKind
  | { readonly kind: "sound"; readonly samples: number | undefined }
  | { readonly kind: "vector"; readonly size: number }
  | { readonly kind: "ids"; readonly size: number | undefined }
  | { readonly kind: "numbers" };

const isChannels = (dim: number | string | undefined): dim is 1 | 3 | 4 =>
  dim === 1 || dim === 3 || dim === 4;

const isColour = (dim: number | string) => dim === 3 || dim === 4;

/** Names of features of sounds, which have the shape of grey pictures; and times that those of many frames are higher than wide. */
const FEATURES = /mfcc|(^|[^a-z])(log)?mel(?![a-z])|spectrogram|fbank/i;
const FRAMES = 3;

/** The kind of control that an input gets. */
export function controlKindOf({ name, dtype, shape }: Input): ControlKind {
  const image = dtype === "i32" || dtype === "bool" ? undefined : imageOf(shape, FEATURES.test(name));
  if (image) return image;
  const [, ...rest] = shape.length > 1 ? shape : [1, ...shape];
  const open = rest.filter((dim) => dim !== 1);
  const [last = 1] = open;
  if (open.length > 1) return { kind: "numbers" };
  const size = typeof last === "number" ? last : undefined;
  if (dtype === "i32" || dtype === "bool") return { kind: "ids", size };
  const isNamedSound = /audio|wave|sound|speech|pcm/i.test(name);
  if (dtype === "f32" && (isNamedSound ? (size ?? LEAST_SOUND) > MOST_SLIDERS : (size ?? 0) >= LEAST_SOUND))
    return { kind: "sound", samples: size };
  return size === undefined ? { kind: "numbers" } : { kind: "vector", size };
}

function imageOf(shape: Input["shape"], isFeatures: boolean): ImageKind | undefined {
  const [a, b, c] = shape.length === 4 ? shape.slice(1) : shape.length === 3 ? shape : [];
  const of = (channels: number | string | undefined, sides: Input["shape"], isLast: boolean) => {
    if (!isChannels(channels)) return undefined;
    if (sides.some((side) => typeof side === "number" && side < LEAST_SIDE)) return undefined;
    const [height, width] = sides.map((side) => (typeof side === "number" ? side : ANY_SIDE));
    const isAnySize = sides.every((side) => typeof side === "string");
    // Number() of a symbol is NaN, which is above nothing.
    if (channels === 1 && (isFeatures || Number(sides[0]) > FRAMES * Number(sides[1]))) return undefined;
    return { kind: "image", channels, height: height!, width: width!, isLast, isAnySize } as const;
  };
  if (a === undefined || b === undefined || c === undefined) return undefined;
  // Without a batch, [1, n, k] is more often a sequence than a grey picture.
  if (shape.length === 3 && !(isColour(a) || isColour(c))) return undefined;
  return of(a, [b, c], false) ?? of(c, [a, b], true);
}
