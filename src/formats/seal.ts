// Files that say what they are and whether they are whole: safetensors files with format and version in their metadata, a hash of
// each tensor, and one of the header, which has those. So a reader trusts the header before it reads on, and each tensor as it
// comes.

import { FormatError } from "../errors";
import { createSha256 } from "../graph/sha256";
import { bytesIn, type Constant, type Tensor } from "../graph/tensor";
import { readOwnHeader, readOwnTensor } from "./own-tensors";
import {
  checkLength,
  LENGTH_BYTES,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from "./safetensors-header";
import { type SafetensorsHead, safetensorsHead } from "./write-safetensors";

export interface SealKind {
  /** Its name in the metadata. */
  readonly format: string;
  /** Of what the metadata mean; a reader takes no other. */
  readonly version: number;
  /** What people call it. */
  readonly noun: string;
  /** Where one comes from. */
  readonly hint: string;
}

export type Metadata = Readonly<Record<string, string>>;

const HASH_LENGTH = 64;
/** Hexadecimal digits of SHA-256 that are kept of a tensor: 128 bits. */
const TENSOR_HASH_LENGTH = 32;
const none = (length: number) => "0".repeat(length);
const encode = (text: string) => new TextEncoder().encode(text);
const hashOf = (bytes: Uint8Array) => createSha256().update(bytes).digest();
/** The hash of a tensor in the header. */
export const tensorHashOf = (bytes: Uint8Array) => hashOf(bytes).slice(0, TENSOR_HASH_LENGTH);

/** Bytes of a file with its hashes. Equal input gives equal bytes. */
export function writeSealed(
  kind: SealKind,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Metadata,
): Uint8Array<ArrayBuffer> {
  const bytesOf = (name: string) => bytesIn(tensors.get(name)!.data);
  const { head, order, fileBytes } = sealedHead(kind, tensors, metadata, (name) =>
    tensorHashOf(bytesOf(name)),
  );
  const bytes = new Uint8Array(fileBytes);
  bytes.set(head);
  let at = head.length;
  for (const name of order) {
    bytes.set(bytesOf(name), at);
    at += bytesOf(name).length;
  }
  return bytes;
}

/** What comes before the data of a sealed file; `hashOf` gives the tensorHash of the bytes of a tensor. */
export function sealedHead(
  { format, version }: SealKind,
  tensors: ReadonlyMap<string, Constant>,
  metadata: Metadata,
  tensorHash: (name: string) => string,
): SafetensorsHead {
  const made = safetensorsHead(tensors, {
    format,
    version: `${version}`,
    ...metadata,
    tensor_hashes: none(TENSOR_HASH_LENGTH * tensors.size),
    file_hash: none(HASH_LENGTH),
  });
  const { head, order } = made;
  const set = (name: string, value: string) => {
    // Quotes inside of texts are escaped, so this is the field and no text.
    const field = encode(`"${name}":"`);
    head.set(encode(value), indexOf(head, field) + field.length);
  };
  set("tensor_hashes", order.map(tensorHash).join(""));
  set("file_hash", hashOf(head));
  return made;
}

/** Reads a whole file; tensors are views of `bytes`. Throws FormatError where it is damaged or of another kind. */
export function readSealed(
  bytes: Uint8Array,
  kind: SealKind,
  where: string,
): { tensors: Map<string, Tensor>; metadata: Metadata } {
  // Of a file of another kind the length of its header is any number.
  if (bytes.length > LENGTH_BYTES && bytes[LENGTH_BYTES] !== 0x7b) throw notOf(kind, where, "another file");
  const header = readOwnHeader(bytes, where);
  const { entries, metadata, headerBytes, fileBytes } = header;
  checkKind(metadata, kind, where);
  checkLength(bytes.length, fileBytes, where);
  const seal = openSeal(bytes.subarray(0, headerBytes), header, where);
  const tensors = new Map<string, Tensor>();
  for (const entry of entries) {
    const own = bytes.subarray(entry.offset, entry.offset + entry.bytes);
    seal(entry, own);
    tensors.set(entry.name, readOwnTensor(entry, own, where));
  }
  return { tensors, metadata };
}

/** Checks the bytes of a tensor. */
export type Seal = (entry: SafetensorsEntry, bytes: Uint8Array) => void;

/** Checks a header against its own hash; returns what checks the tensors that follow. Throws FormatError, as that does. */
export function openSeal(head: Uint8Array, { entries, metadata }: SafetensorsHeader, where: string): Seal {
  const { file_hash: stated = "", tensor_hashes: hashes = "" } = metadata;
  const text = new TextDecoder().decode(head.subarray(LENGTH_BYTES));
  const hash = createSha256().update(head.subarray(0, LENGTH_BYTES));
  checkHash(hash.update(encode(text.replace(stated, none(HASH_LENGTH)))).digest(), stated, where);
  const places = new Map(entries.map(({ name }, i) => [name, i * TENSOR_HASH_LENGTH]));
  return ({ name }, bytes) => {
    const at = places.get(name)!;
    checkHash(tensorHashOf(bytes), hashes.slice(at, at + TENSOR_HASH_LENGTH), `${where}, tensor "${name}"`);
  };
}

/** Throws FormatError where metadata are not those of a kind, or of another version. */
export function checkKind(metadata: Metadata, kind: SealKind, where: string): void {
  const { format, version, hint } = kind;
  if (metadata.format !== format)
    throw notOf(kind, where, metadata.format === undefined ? "none" : JSON.stringify(metadata.format));
  if (Number(metadata.version) === version) return;
  const isOlder = Number(metadata.version) < version;
  throw new FormatError("another version of the format", {
    where,
    expected: `version ${version}`,
    got: `${metadata.version}`,
    hint: isOlder
      ? `Make it anew with this octette. ${hint}`
      : "Update octette, or write the file again with this one",
  });
}

const notOf = ({ format, noun, hint }: SealKind, where: string, got: string) =>
  new FormatError(`not an ${noun}`, {
    where,
    expected: `safetensors metadata with format "${format}"`,
    got,
    hint,
  });

function checkHash(actual: string, stated: string, where: string): void {
  if (actual === stated) return;
  throw new FormatError("the file was changed or damaged", {
    where,
    expected: `SHA-256 ${stated || "in its metadata"}`,
    got: stated ? actual : "none",
    hint: "Copy it again",
  });
}

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = bytes.indexOf(part[0]!); at >= 0; at = bytes.indexOf(part[0]!, at + 1))
    if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  return -1;
}
