// What may be said about pictures. Apart from the code that does it, which only those load who have pictures.

import type { Names } from "../options";
import type { Filter } from "./resize";

/** How a picture becomes of the size that a model takes. */
export interface PictureOptions {
  /**
   * Size before cropping: a number for the shorter side, or `WIDTHxHEIGHT`. Default: with `crop` the picture's own; without it the
   * smallest that covers the model's input.
   */
  readonly resize?: number | string | undefined;
  /** Size of the part that is cut out of the middle: a number, or `WIDTHxHEIGHT`. Default: the size of the model's input. */
  readonly crop?: number | string | undefined;
  /** The filter of resizing: `bilinear` (default), `bicubic` or `nearest`, each as PIL has it. */
  readonly filter?: Filter | undefined;
}

export const PICTURE = { resize: 1, crop: 1, filter: 1 } satisfies Names<PictureOptions>;

export const FILTERS: readonly Filter[] = ["nearest", "bilinear", "bicubic"];

export const isPictureName = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);
