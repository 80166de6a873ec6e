// Files with hashes that are right, whatever else they say.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { writeSafetensors } from "../../src/formats/write-safetensors";
import type { Tensor } from "../../src/graph/tensor";

const HASHES = { tensor_hashes: 32, file_hash: 64 };

/** A safetensors file with hashes of its tensors and of its header among its metadata, as every file of octette has them. */
export function sealed(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const [each, whole] = [HASHES.tensor_hashes * tensors.size, HASHES.file_hash].map((n) => "0".repeat(n));
  return resealed(writeSafetensors(tensors, { ...metadata, tensor_hashes: each!, file_hash: whole! }));
}

/** The file with the hashes that its bytes have now, where their fields are still there. */
export function resealed(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length < 8 ? 0 : 8 + text.readUInt32LE(0);
  let header: Record<string, { data_offsets?: unknown }>;
  try {
    header = JSON.parse(text.toString("utf8", 8, end));
  } catch {
    return bytes;
  }
  const hashOf = (from: number, to: number) => bytesToHex(sha256(bytes.subarray(from, to)));
  const write = (name: string, length: number, value: () => string) => {
    const field = `"${name}":"`;
    const at = text.indexOf(field) + field.length;
    if (at < field.length || at + length > end) return;
    bytes.fill(0x30, at, at + length);
    text.write(value().slice(0, length), at, "latin1");
  };
  const places = Object.entries(header ?? {})
    .filter(([name]) => name !== "__metadata__")
    .map(([, entry]) => entry?.data_offsets)
    .filter((place): place is [number, number] => Array.isArray(place) && place.every(Number.isSafeInteger))
    .sort(([a], [b]) => a - b);
  const each = () =>
    places.map(([from, to]) => hashOf(end + from, end + to).slice(0, HASHES.tensor_hashes)).join("");
  write("tensor_hashes", HASHES.tensor_hashes * places.length, each);
  write("file_hash", HASHES.file_hash, () => hashOf(0, end));
  return bytes;
}
