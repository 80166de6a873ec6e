// Pixels of a page or of any program as the feeds of a model: camera, canvas, ImageData, bytes. What pages draw pictures with is
// reached only where a source is not bytes already.

import { classNameOf, OctetteError } from "../errors";
import type { Input } from "../graph/graph";
import type { Tensor } from "../graph/tensor";
import { checkOptions, type Names } from "../options";
import { PICTURE, type PictureOptions } from "./options";
import type { Picture } from "./picture";
import { pictureTarget, preparePicture } from "./prepare";

/** What has pixels: bytes with a size, such as an ImageData, or whatever a canvas can draw. */
export type PictureSource =
  | Picture
  | ImageBitmap
  | VideoFrame
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLImageElement
  | HTMLVideoElement;

/** Options of `pictureFeed`. */
export interface PictureFeedOptions extends PictureOptions {
  /** The input that takes the picture. Default: the model's only input that could. */
  readonly input?: string | undefined;
}

const FEED = { ...PICTURE, input: 1 } satisfies Names<PictureFeedOptions>;

/**
 * A picture as the feeds of a model: `await model.run(pictureFeed(model, imageData))`. The tensor is u8 [1, channels, height, width] or
 * [1, height, width, channels], whichever the model takes. It is resized and cropped as PictureOptions say; alpha is left out, and
 * grey made of colours where the model wants that.
 * @throws OctetteError "argument" where the model takes no pictures or no bytes, or the source has no pixels.
 */
export function pictureFeed(
  model: { readonly inputs: readonly Input[] },
  source: PictureSource,
  options: PictureFeedOptions = {},
): Record<string, Tensor> {
  checkOptions("pictureFeed", options, FEED);
  const input = inputOf(model.inputs, options.input);
  if (input.dtype === "f32" && !input.preprocessing)
    throw new OctetteError("the model does not say how bytes become its numbers", {
      code: "argument",
      where: `input "${input.name}"`,
      expected: "an artifact that normalizes its input",
      hint: "Quantize it with the option normalize (--normalize), such as imagenet",
    });
  const target = pictureTarget(input, options, input.preprocessing);
  const data = new Uint8Array(target.width * target.height * target.channels);
  preparePicture(pixelsOf(source), target, data, 0, "picture");
  return { [input.name]: { dtype: "u8", shape: [1, ...target.sample], data } };
}

function inputOf(inputs: readonly Input[], name: string | undefined): Input {
  const named = inputs.filter((input) => name === undefined || input.name === name);
  if (named.length === 1) return named[0]!;
  throw new OctetteError(
    name === undefined ? "which input takes the picture?" : `the model has no input "${name}"`,
    {
      code: "argument",
      where: "input",
      expected: inputs.map((input) => `"${input.name}"`).join(", "),
    },
  );
}

/** The pixels of a source; what is no bytes is drawn first. */
export function pixelsOf(source: PictureSource): Picture {
  const given = Object(source) as Partial<Picture & HTMLVideoElement & HTMLImageElement & VideoFrame>;
  if (ArrayBuffer.isView(given.data)) return source as Picture;
  const width = given.videoWidth ?? given.naturalWidth ?? given.displayWidth ?? given.width;
  const height = given.videoHeight ?? given.naturalHeight ?? given.displayHeight ?? given.height;
  const isDrawable = /^(ImageBitmap|VideoFrame|OffscreenCanvas|HTML(Canvas|Image|Video)Element)$/.test(
    classNameOf(source),
  );
  if (!isDrawable || !width || !height)
    throw new OctetteError("has no pixels", {
      code: "argument",
      where: "picture",
      expected:
        "ImageData, { width, height, data }, ImageBitmap, VideoFrame, or an image, video or canvas that has loaded",
      got: `${classNameOf(source)}${isDrawable ? ` of ${width} × ${height}` : ""}`,
      hint: "createImageBitmap makes one of a Blob or a File",
    });
  const canvas = canvasOf(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  context.drawImage(source as CanvasImageSource, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** A canvas that no page shows; older Safari has none off screen. */
function canvasOf(width: number, height: number): OffscreenCanvas | HTMLCanvasElement {
  if (typeof OffscreenCanvas !== "undefined") return new OffscreenCanvas(width, height);
  const canvas = document.createElement("canvas");
  return Object.assign(canvas, { width, height });
}
