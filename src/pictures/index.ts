// octette/pictures: pictures as what a model takes, in pages and in Node. Only its users load it, and decoders only who decodes files.

import { type BytesSource, nameOf, readBytes } from "../engine/source";
import type { Picture } from "./picture";

/**
 * A PNG or JPEG from anywhere as its pixels, the same in every engine. A page's own `createImageBitmap` reads more formats and is faster, and
 * its pixels differ a little from engine to engine.
 * @throws FormatError where it is neither, damaged or truncated; OctetteError "limit" where it is too large, "unsupported" for rare kinds.
 */
export async function openPicture(source: BytesSource, signal?: AbortSignal): Promise<Picture> {
  const { readPicture } = await import("./decode.js");
  return readPicture(await readBytes(source, signal), nameOf(source, "picture"));
}

export { type PictureFeedOptions, type PictureSource, pictureFeed } from "./feed";
export type { PictureOptions } from "./options";
export { MAX_PICTURE_PIXELS, type Picture } from "./picture";
export type { Filter } from "./resize";
