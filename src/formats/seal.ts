// Files that say what they are and whether they are whole: safetensors files with format and version in their metadata,
// and SHA-256 of all their bytes, that hash itself taken as zeros.

import { FormatError } from "../errors";
import { createSha256, type Sha256 } from "../graph/sha256";
import type { Tensor } from "../graph/tensor";
import { LENGTH_BYTES, readSafetensors, safetensorsHeaderBytes, writeSafetensors } from "./safetensors";

export interface SealKind {
  /** Its name in the metadata. */
  readonly format: string;
  /** Of what the metadata mean; a reader takes it and those before. */
  readonly version: number;
  /** What people call it. */
  readonly noun: string;
  /** Where one comes from. */
  readonly hint: string;
}

export type Metadata = Readonly<Record<string, string>>;

const NO_HASH = "0".repeat(64);
const encode = (text: string) => new TextEncoder().encode(text);

/** Bytes of a file with its hash. Equal input gives equal bytes. */
export function writeSealed(
  { format, version }: SealKind,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Metadata,
): Uint8Array<ArrayBuffer> {
  const bytes = writeSafetensors(tensors, {
    format,
    version: `${version}`,
    ...metadata,
    file_hash: NO_HASH,
  });
  const hash = createSha256().update(bytes).digest();
  // Quotes inside of texts are escaped, so this is the field and no text.
  const field = encode('"file_hash":"');
  bytes.set(encode(hash), indexOf(bytes, field) + field.length);
  return bytes;
}

/** Reads a whole file; tensors are views of `bytes`. Throws FormatError where it is damaged or of another kind. */
export function readSealed(
  bytes: Uint8Array,
  kind: SealKind,
  where: string,
): { tensors: Map<string, Tensor>; metadata: Metadata } {
  // Of a file of another kind the length of its header is any number.
  if (bytes.length > LENGTH_BYTES && bytes[LENGTH_BYTES] !== 0x7b) throw notOf(kind, where, "another file");
  const { tensors, metadata } = readSafetensors(bytes, where);
  checkKind(metadata, kind, where);
  const head = bytes.subarray(0, safetensorsHeaderBytes(bytes, where));
  checkHash(hashFrom(head, metadata).update(bytes.subarray(head.length)).digest(), metadata, where);
  return { tensors, metadata };
}

/** Throws FormatError where metadata are not those of a kind, or of another version. */
export function checkKind(metadata: Metadata, kind: SealKind, where: string): void {
  const { format, version } = kind;
  if (metadata.format !== format)
    throw notOf(kind, where, metadata.format === undefined ? "none" : JSON.stringify(metadata.format));
  if (!(Number(metadata.version) <= version))
    throw new FormatError("another version of the format", {
      where,
      expected: `version ${version}`,
      got: `${metadata.version}`,
      hint: "Update octette, or write the file again with this one",
    });
}

const notOf = ({ format, noun, hint }: SealKind, where: string, got: string) =>
  new FormatError(`not an ${noun}`, {
    where,
    expected: `safetensors metadata with format "${format}"`,
    got,
    hint,
  });

/** Begins the hash of a file with its header, which was read as JSON, its own hash there taken as zeros. */
export const hashFrom = (header: Uint8Array, { file_hash: stated = "" }: Metadata): Sha256 =>
  createSha256()
    .update(header.subarray(0, LENGTH_BYTES))
    .update(encode(new TextDecoder().decode(header.subarray(LENGTH_BYTES)).replace(stated, NO_HASH)));

/** Throws FormatError where a file's hash is not the one it states. */
export function checkHash(actual: string, { file_hash: stated }: Metadata, where: string): void {
  if (actual === stated) return;
  throw new FormatError("the file was changed or damaged", {
    where,
    expected: `SHA-256 ${stated || "in file_hash"}`,
    got: stated ? actual : "none",
    hint: "Copy it again",
  });
}

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = bytes.indexOf(part[0]!); at >= 0; at = bytes.indexOf(part[0]!, at + 1))
    if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  return -1;
}
