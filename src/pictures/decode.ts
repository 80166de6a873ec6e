// Files of pictures: which format one is, its first bytes say. Loaded where pictures come as files.

import { FormatError } from "../errors";
import { isJpeg, readJpeg } from "./jpeg";
import type { Picture } from "./picture";
import { isPng, readPng } from "./png";

/**
 * Reads a PNG or JPEG.
 * @throws FormatError where it is neither, damaged or truncated; OctetteError "limit" where it is too large, "unsupported" for rare kinds.
 */
export function readPicture(bytes: Uint8Array, where = "picture"): Picture {
  if (isPng(bytes)) return readPng(bytes, where);
  if (isJpeg(bytes)) return readJpeg(bytes, where);
  throw new FormatError("is not a picture that octette reads", {
    where,
    offset: 0,
    expected: "PNG or JPEG",
    got:
      bytes.length === 0
        ? "no bytes"
        : `bytes ${[...bytes.subarray(0, 4)].map((b) => b.toString(16).padStart(2, "0")).join(" ")}`,
  });
}
