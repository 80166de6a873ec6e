// ONNX models as simplified graphs: of bytes that are here, and of a source, whose tensors may lie in files beside it.

import { type BytesSource, bytesOf, nameOf, readBytes } from "../engine/source";
import { classNameOf, FormatError, OctetteError } from "../errors";
import type { FolderSource } from "../files/folder";
import { ARTIFACT_MARK_BYTES, isArtifact } from "../formats/octette";
import { convertModel, type OnnxOptions, readOnnx } from "../formats/onnx/import";
import { externalTensors, type ModelProto, readModel } from "../formats/onnx/proto";
import { isTflite } from "../formats/tflite/mark";
import type { Graph } from "../graph/graph";
import { nameClasses } from "../ops/classes";
import { checkOptions, type Names } from "../options";
import { simplifyImported } from "../passes/index";
import { type Toolkit, type ToolkitOptions, toolkitIn } from "./toolkit";

/** Where the files are that hold a model's tensors. */
export interface ExternalOptions {
  /**
   * The files that a model keeps its tensors in (external data): a folder's path, a URL, sources by file name, or Files. Default: the folder of
   * the model, where it is a path or a URL.
   */
  readonly externalData?: FolderSource | undefined;
}

/** Options of `openOnnx`. */
export interface OpenOnnxOptions extends OnnxOptions, ExternalOptions, ToolkitOptions {
  /** Stops reading: the promise rejects with the signal's reason. Default: nothing stops it. */
  readonly signal?: AbortSignal | undefined;
}

const OPEN = {
  name: 1,
  symbols: 1,
  classes: 1,
  externalData: 1,
  signal: 1,
  toolkit: 1,
} satisfies Names<OpenOnnxOptions>;

/**
 * Reads an ONNX model (opset 7 on) and simplifies it: constants folded, BatchNorm folded into its neighbours, dead nodes
 * removed. Throws one OctetteError that lists every operator octette does not have, FormatError for a damaged file.
 * `openOnnx` reads models that keep tensors in other files.
 */
export function importOnnx(
  bytes: Uint8Array | ArrayBuffer,
  options: OnnxOptions & ToolkitOptions = {},
): Graph {
  const [toolkit, rest] = toolkitIn<OnnxOptions>(options);
  const where = options.name ?? "model";
  checkOnnx(bytes, where);
  const own = bytesOf(bytes);
  const graph = notText(own, where, () => readOnnx(own, rest, toolkit.own.conversions));
  return nameClasses(simplifyImported(graph, toolkit.ops), rest.classes, toolkit.ops);
}

/**
 * As `importOnnx`, from a path, a URL, a Blob or bytes, with the tensors that lie in other files, which are read one after the other.
 * @throws FormatError where a file is damaged, or a tensor's place leads out of the folder or past the end of its file; OctetteError
 * "argument" where a file is missing.
 */
export async function openOnnx(source: BytesSource, options: OpenOnnxOptions = {}): Promise<Graph> {
  checkOptions("openOnnx", options, OPEN);
  const { externalData = folderBeside(source), signal, ...more } = options;
  const [toolkit, rest] = toolkitIn<OnnxOptions>(more);
  const bytes = await readBytes(source, signal);
  return importWithExternal(
    bytes,
    { name: baseName(nameOf(source)), ...rest },
    toolkit,
    externalData,
    signal,
  );
}

/** The graph of a file's bytes, with the tensors that lie in the files of a folder. */
export async function importWithExternal(
  bytes: Uint8Array,
  options: OnnxOptions,
  toolkit: Toolkit,
  folder: FolderSource | undefined,
  signal: AbortSignal | undefined,
): Promise<Graph> {
  const where = options.name ?? "model";
  checkOnnx(bytes, where);
  const model = notText(bytes, where, () => readModel(bytes, where));
  await readExternalOf(model, folder, signal);
  const graph = simplifyImported(convertModel(model, options, toolkit.own.conversions), toolkit.ops);
  return nameClasses(graph, options.classes, toolkit.ops);
}

async function readExternalOf(
  model: ModelProto,
  source: FolderSource | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const tensors = externalTensors(model);
  if (tensors.length === 0 || source === undefined) return;
  const { openExternal } = await import("../formats/onnx/external");
  await openExternal(tensors, source, signal);
}

/** The option externalData, and the others. */
export function externalIn<O extends object>(
  options: O & ExternalOptions,
): [folder: FolderSource | undefined, rest: O] {
  if (typeof options !== "object" || options === null) return [undefined, options];
  const { externalData, ...rest } = options;
  return [externalData, rest as unknown as O];
}

/** A file's name without folder and ending, so that an artifact does not depend on where its source lay. */
export const baseName = (path: string) => /([^/\\]*?)(\.(onnx|tflite))?([?#].*)?$/i.exec(path)![1]!;

/** The folder that a model's file is in; undefined where it is neither a path nor a URL. */
export function folderBeside(source: BytesSource): string | undefined {
  if (typeof source !== "string" && classNameOf(source) !== "URL") return undefined;
  const [name = ""] = `${source}`.split(/[?#]/);
  return /^(.*)[/\\]/.exec(name)?.[1] ?? ".";
}

/** Control characters that text has none of, which every model has at its beginning. */
const BINARY = /[^\P{Cc}\t\n\r]/u;
const MARK_BYTES = 64;

/** What reading bytes gives, but that it knows text where there should be a model. */
function notText<T>(bytes: Uint8Array, where: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const head = new TextDecoder().decode(bytes.subarray(0, MARK_BYTES));
    if (!(cause instanceof FormatError) || BINARY.test(head)) throw cause;
    throw new FormatError("is text, not a model", {
      where,
      expected: "a file in ONNX format, or an .octette",
      got: JSON.stringify(head.slice(0, 16)),
    });
  }
}

/** Throws where bytes are none, too few, or those of another kind of model. */
function checkOnnx(bytes: Uint8Array | ArrayBuffer, where: string): void {
  if (!(bytes instanceof Uint8Array) && !(bytes instanceof ArrayBuffer))
    throw new OctetteError("takes the bytes of a model", {
      code: "argument",
      where: "importOnnx",
      expected: "a Uint8Array or ArrayBuffer",
      got: typeof bytes,
      hint: "load() takes paths and URLs, too",
    });
  if (bytes.byteLength < ARTIFACT_MARK_BYTES)
    throw new FormatError("is too short for a model", {
      where,
      expected: "a file in ONNX format, or an .octette",
      got: `${bytes.byteLength} bytes`,
      hint: "Copy or download it again",
    });
  if (isArtifact(bytesOf(bytes)))
    throw new OctetteError("is an .octette, not a model in ONNX format", {
      code: "argument",
      where,
      hint: "load() runs it, and readArtifact() gives its graph",
    });
  if (isTflite(bytesOf(bytes)))
    throw new OctetteError("is a TensorFlow Lite model, not one in ONNX format", {
      code: "argument",
      where,
      hint: "load() runs it, and importTflite() of octette/tflite gives its graph",
    });
}
