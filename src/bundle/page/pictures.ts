// Pictures of files and of the camera, in the size that a model takes.

import { messageOf } from "./dom";

/** Longest side of a picture whose size the model leaves open, and what its sides are multiples of. */
const [LONGEST, STEP] = [640, 32];

export type PictureSource = ImageBitmap | HTMLVideoElement;

const sidesOf = (picture: PictureSource) =>
  picture instanceof HTMLVideoElement
    ? [picture.videoWidth, picture.videoHeight]
    : [picture.width, picture.height];

/** The size that a picture is given where the model takes any: its own, within bounds. */
export function openSides(picture: PictureSource): [number, number] {
  const [width = 1, height = 1] = sidesOf(picture);
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const whole = (side: number) => Math.max(STEP, Math.round((side * scale) / STEP) * STEP);
  return [whole(width), whole(height)];
}

/** The middle of a picture, as large as fits, in this size. */
export function cropped(picture: PictureSource, width: number, height: number): ImageData {
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

/** As a model of one channel sees it. */
export function greyed(image: ImageData): ImageData {
  const { data } = image;
  for (let at = 0; at < data.length; at += 4)
    data.fill((data[at]! * 19595 + data[at + 1]! * 38470 + data[at + 2]! * 7471 + 0x8000) >> 16, at, at + 3);
  return image;
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
