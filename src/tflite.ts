// octette/tflite: TensorFlow Lite models, beside octette, which reads ONNX.

import { bytesOf } from "./engine/source";
import { readTflite, type TfliteOptions } from "./formats/tflite/import";
import type { Graph } from "./graph/graph";
import { simplifyImported } from "./passes/index";
import { type ToolkitOptions, toolkitIn } from "./toolkit/toolkit";

/**
 * Reads a TensorFlow Lite model and simplifies it. Inputs and outputs keep TFLite's order of dimensions, images [n, h, w, c]. Throws one
 * OctetteError that lists every operator octette does not have, FormatError for a damaged file.
 */
export function importTflite(
  bytes: Uint8Array | ArrayBuffer,
  options: TfliteOptions & ToolkitOptions = {},
): Graph {
  const [{ ops }, rest] = toolkitIn<TfliteOptions>(options);
  return simplifyImported(readTflite(bytesOf(bytes), rest), ops);
}

export { FormatError, OctetteError } from "./errors";
export type { TfliteOptions } from "./formats/tflite/import";
