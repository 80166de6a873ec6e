// Pictures of files and of the camera: their sizes, and how people see them.

import { messageOf } from "./dom";
import type { ImageKind } from "./kinds";

/** Longest side of a picture whose size the model leaves open, and what its sides are multiples of. */
const [LONGEST, STEP] = [640, 32];

export type PagePicture = ImageBitmap | HTMLVideoElement;

const sidesOf = (picture: PagePicture) =>
  picture instanceof HTMLVideoElement
    ? [picture.videoWidth, picture.videoHeight]
    : [picture.width, picture.height];

/** The size that a picture is given: where the model takes any, its own, within bounds. */
export function kindFor(picture: PagePicture, kind: ImageKind): ImageKind {
  if (!kind.isAnySize) return kind;
  const [width = 1, height = 1] = sidesOf(picture);
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const whole = (side: number) => Math.max(STEP, Math.round((side * scale) / STEP) * STEP);
  return { ...kind, width: whole(width), height: whole(height) };
}

/** The middle of a picture, as large as fits, in this size, as the browser draws it. */
export function cropped(picture: PagePicture, width: number, height: number): ImageData {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const [w = 1, h = 1] = sidesOf(picture);
  const scale = Math.min(w / width, h / height);
  context.imageSmoothingQuality = "high";
  // What is transparent is black.
  context.fillRect(0, 0, width, height);
  const [sw, sh] = [width * scale, height * scale];
  context.drawImage(picture, (w - sw) / 2, (h - sh) / 2, sw, sh, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** Why there is no camera, in words. */
export function cameraProblem(error: unknown): string {
  const { name } = error as DOMException;
  return name === "NotAllowedError"
    ? "The camera was denied. Allow it in the browser's settings of this page, or choose a picture."
    : name === "NotFoundError"
      ? "There is no camera here. Choose a picture instead."
      : `The camera does not start: ${messageOf(error)}`;
}
