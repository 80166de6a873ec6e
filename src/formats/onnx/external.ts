// Tensors whose elements lie in files beside the model (TensorProto.data_location = EXTERNAL): read at their offsets, one after the
// other, so that a model may have more than a file holds. What says where they lie comes from the model, so nothing of it is believed.

import { FormatError, OctetteError } from "../../errors";
import { checkName, type Folder, type FolderSource, folderOf } from "../../files/folder";
import type { Seekable } from "../../files/seek";
import type { TensorProto } from "./proto";
import { dataTypeName, fromRaw, placeOf, rawBytesOf } from "./tensor-proto";

/** Most files that the tensors of one model lie in. */
export const MAX_EXTERNAL_FILES = 1024;
/** How often the bytes of these files may be read, all in all: tensors may share bytes, but a small file must not become a large model. */
const MOST_READINGS = 2;

/** As readExternal, from what a caller passes as a folder. */
export const openExternal = async (
  tensors: readonly TensorProto[],
  source: FolderSource,
  signal?: AbortSignal,
): Promise<void> => readExternal(tensors, await folderOf(source, { links: false }), signal);

/**
 * Reads the elements of these tensors from the files of a folder, so that toTensor has them.
 * @throws FormatError if a name leads out of the folder, or a tensor reaches beyond its file; OctetteError "argument" if a file is
 * missing, "limit" above MAX_EXTERNAL_FILES or if tensors share too many bytes.
 */
async function readExternal(
  tensors: readonly TensorProto[],
  folder: Folder,
  signal?: AbortSignal,
): Promise<void> {
  const files = new Map<string, Seekable>();
  let left = 0;
  try {
    for (const proto of tensors) {
      signal?.throwIfAborted();
      const name = nameOf(proto);
      let file = files.get(name);
      if (!file) {
        if (files.size === MAX_EXTERNAL_FILES)
          throw new OctetteError("its tensors lie in too many files", {
            code: "limit",
            where: folder.where,
            expected: `at most MAX_EXTERNAL_FILES = ${MAX_EXTERNAL_FILES}`,
          });
        file = await opened(folder, name, proto);
        files.set(name, file);
        left += MOST_READINGS * file.size;
      }
      const { offset, length } = partOf(proto, file.size);
      left -= length;
      if (left < 0)
        throw new OctetteError("its tensors share more bytes than octette reads", {
          code: "limit",
          where: placeOf(proto),
          expected: `each byte of a file read ${MOST_READINGS} times on average`,
        });
      const bytes = new Uint8Array(length);
      await file.read(offset, bytes);
      proto.elements = fromRaw(proto, bytes);
    }
  } finally {
    for (const file of files.values()) await file.close();
  }
}

async function opened(folder: Folder, name: string, proto: TensorProto): Promise<Seekable> {
  const file = await folder.open(name);
  if (file) return file;
  throw new OctetteError(`there is no file "${name}" for its data`, {
    code: "argument",
    where: placeOf(proto),
    expected: `it in ${folder.where}`,
    hint: "Copy it beside the model, or pass it by this name in the option externalData",
  });
}

/** The name of a tensor's file, below the model's folder. */
function nameOf(proto: TensorProto): string {
  const location = proto.external?.get("location") ?? "";
  return checkName(location.replace(/^(\.\/)+/, ""), `${placeOf(proto)}, location`);
}

/** Which bytes of a file are a tensor's. */
function partOf(proto: TensorProto, size: number): { readonly offset: number; readonly length: number } {
  const offset = numberAt(proto, "offset") ?? 0;
  const expected = rawBytesOf(proto);
  const length = numberAt(proto, "length") ?? expected;
  if (length === undefined || length !== expected)
    throw new FormatError("length does not fit the shape", {
      where: placeOf(proto),
      expected: `${expected ?? "fewer"} bytes for ${dataTypeName(proto.dataType)} [${proto.dims.join(", ")}]`,
      got: `${length ?? "more than a tensor holds"}`,
    });
  if (offset + length > size)
    throw new FormatError("its data run past the end of their file", {
      where: placeOf(proto),
      expected: `at most ${size} bytes of "${nameOf(proto)}"`,
      got: `offset ${offset}, length ${length}`,
      hint: "Copy or download the file again",
    });
  return { offset, length };
}

/** A whole number of the entry; undefined where it is absent. */
function numberAt(proto: TensorProto, key: "offset" | "length"): number | undefined {
  const text = proto.external?.get(key);
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new FormatError(`${key} of its data is not a whole number`, {
    where: placeOf(proto),
    expected: "0 to 2^53 − 1",
    got: JSON.stringify(text.slice(0, 40)),
  });
}
