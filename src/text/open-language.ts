// Detects the source of a language model: a Hugging Face folder, a GGUF file or an artifact, by file names and by the first bytes.
// Only of a URL its ending decides whether it is a file.

import { type ByteReader, type BytesSource, nameOf, openReader, peek, read, readAll } from "../engine/source";
import { classNameOf, FormatError } from "../errors";
import type { FolderSource } from "../files/folder";
import type { LanguageSource } from "../formats/language-source";
import { isArtifact } from "../formats/octette";
import { nodeModule } from "../node-module";

/**
 * A folder of Hugging Face (a path, a URL, its files by name, or the Files that a page was given), a GGUF file or an artifact (a path, a
 * URL, bytes, a Blob, a Response, an async iterable of chunks).
 */
export type LanguageModelSource = FolderSource | BytesSource;

/** An opened source: an artifact that is read in order, or settings and tensors. */
export type OpenedLanguage =
  | { readonly artifact: ByteReader; readonly where: string }
  | { readonly source: LanguageSource };

const MARK_BYTES = 9;
const GGUF = "GGUF";

/** Opens a language model. Throws FormatError where the first bytes are of none, OctetteError where it cannot be read. */
export async function openLanguage(
  source: LanguageModelSource,
  signal: AbortSignal | undefined,
): Promise<OpenedLanguage> {
  // Devices that run artifacts download neither reader.
  if (isFolder(source)) {
    const { openFolder } = await import("../formats/hugging-face/open");
    return { source: await openFolder(source) };
  }
  const where = nameOf(source);
  const [first, reader] = await peek(await openReader(source, signal), MARK_BYTES);
  if (String.fromCharCode(...first.subarray(0, GGUF.length)) === GGUF) {
    // What can be opened again is read at offsets, anything else as a whole.
    if (!isStream(source)) await reader.close();
    const own = isStream(source) ? await read(readAll(reader.size), reader) : source;
    const { openGguf } = await import("../formats/gguf/open");
    return { source: await openGguf(own) };
  }
  if (isArtifact(first)) return { artifact: reader, where };
  await reader.close();
  throw new FormatError("not a language model", {
    where,
    expected: "a folder of Hugging Face, a GGUF file or an .octette",
    got: JSON.stringify(String.fromCharCode(...first)),
  });
}

/** Whether it can be read once only. */
const isStream = (source: BytesSource): boolean =>
  classNameOf(source) === "Response" ||
  (Symbol.asyncIterator in Object(source) && !/^(Blob|File)$/.test(classNameOf(source)));

/** Whether a source is a folder: a directory, a URL of no file, or files by name. */
function isFolder(source: LanguageModelSource): source is FolderSource {
  if (typeof source === "string" || source instanceof URL) return isDirectory(`${source}`);
  if (source instanceof Uint8Array || /^(ArrayBuffer|Blob|File|Response)$/.test(classNameOf(source)))
    return false;
  return !(Symbol.asyncIterator in Object(source));
}

function isDirectory(url: string): boolean {
  const files = nodeModule("node:fs");
  if (!files || /^https?:/.test(url)) return !/\.(octette|gguf)([?#]|$)/i.test(url);
  const path = url.startsWith("file:") ? new URL(url) : url;
  return files.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
