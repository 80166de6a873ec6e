// The artifact: a valid safetensors file whose metadata hold the graph, its integer regions, quantization and
// preprocessing as JSON (graph-rows.ts), with two hashes and a self-test. Nothing about types of computed values is
// stored: they are inferred when the file is loaded.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { FormatError } from "../errors";
import type { Graph } from "../graph/graph";
import type { Tensor } from "../graph/tensor";
import { verify } from "../graph/verify";
import { decodeGraph } from "./decode-graph";
import { encodeGraph } from "./encode-graph";
import { readSafetensors, writeSafetensors } from "./safetensors";

/** Version of what the metadata mean; a reader refuses a newer one. */
export const ARTIFACT_VERSION = 1;
const NO_HASH = "0".repeat(64);

/** A seeded input's output, hashed: what a device checks itself by. */
export interface SelfTest {
  readonly seed: number;
  /** SHA-256 of all outputs' bytes, in order. */
  readonly hash: string;
}

export interface Artifact {
  readonly graph: Graph;
  /** SHA-256 of graph, quantization and tensors: what a delta names as its base. */
  readonly contentHash: string;
  /** SHA-256 of the file, this hash taken as zeros. */
  readonly fileHash: string;
  readonly selfTest?: SelfTest;
}

/** Whether bytes begin as an artifact does: the length of a header, then JSON (safetensors). */
export const isArtifact = (bytes: Uint8Array): boolean => bytes[8] === 0x7b;

/** Bytes of an artifact. Equal graphs give equal bytes. Throws an OctetteError where the graph breaks a rule. */
export function writeArtifact(graph: Graph, selfTest?: SelfTest): Uint8Array<ArrayBuffer> {
  verify(graph);
  const { json, tensors } = encodeGraph(graph);
  const metadata = {
    format: "octette",
    version: `${ARTIFACT_VERSION}`,
    graph: json,
    provenance: JSON.stringify(graph.provenance),
    ...(selfTest ? { self_test: `${selfTest.seed} ${selfTest.hash}` } : {}),
    content_hash: contentHashOf(json, tensors),
    file_hash: NO_HASH,
  };
  const hash = bytesToHex(sha256(writeSafetensors(tensors, metadata)));
  return writeSafetensors(tensors, { ...metadata, file_hash: hash });
}

/**
 * Reads an artifact and checks its hash. Throws FormatError where the file is truncated, changed or not an artifact.
 * Constants are views of `bytes`.
 */
export function readArtifact(bytes: Uint8Array, where = "artifact"): Artifact {
  const { tensors, metadata } = readSafetensors(bytes, where);
  if (metadata.format !== "octette")
    throw new FormatError("not an octette model", {
      where,
      expected: 'safetensors metadata with format "octette"',
      got: metadata.format === undefined ? "none" : JSON.stringify(metadata.format),
      hint: "Make one with `octette quantize MODEL.onnx -o OUT.octette`",
    });
  if (metadata.version !== `${ARTIFACT_VERSION}`)
    throw new FormatError("another version of the format", {
      where,
      expected: `version ${ARTIFACT_VERSION}`,
      got: `${metadata.version}`,
      hint: "Update octette, or write the model again with this one",
    });
  const {
    graph: header = "",
    provenance = "{}",
    content_hash: contentHash = "",
    file_hash: fileHash = "",
  } = metadata;
  const actual = fileHashOf(bytes, fileHash);
  if (actual !== fileHash)
    throw new FormatError("the file was changed or damaged", {
      where,
      expected: `SHA-256 ${fileHash || "in file_hash"}`,
      got: actual ?? "none",
      hint: "Copy it again",
    });
  const graph = decodeGraph(parse(header, where), tensors, provenanceOf(provenance, where), where);
  try {
    verify(graph);
  } catch (cause) {
    throw new FormatError(`the graph is damaged, ${(cause as Error).message}`, { where });
  }
  const selfTest = /^(\d+) ([0-9a-f]{64})$/.exec(metadata.self_test ?? "");
  return {
    graph,
    contentHash,
    fileHash,
    ...(selfTest ? { selfTest: { seed: Number(selfTest[1]), hash: selfTest[2]! } } : {}),
  };
}

function provenanceOf(json: string, where: string): Record<string, unknown> {
  const value = parse(json, where);
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new FormatError("its provenance is not an object", { where });
}

/** Hash of the file with its own hash field as zeros; undefined where it states none. */
function fileHashOf(bytes: Uint8Array, stated: string): string | undefined {
  const at = /^[0-9a-f]{64}$/.test(stated) ? indexOf(bytes, new TextEncoder().encode(stated)) : -1;
  if (at < 0) return undefined;
  return bytesToHex(
    sha256
      .create()
      .update(bytes.subarray(0, at))
      .update(new TextEncoder().encode(NO_HASH))
      .update(bytes.subarray(at + 64))
      .digest(),
  );
}

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = bytes.indexOf(part[0]!); at >= 0; at = bytes.indexOf(part[0]!, at + 1))
    if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  return -1;
}

function contentHashOf(header: string, tensors: ReadonlyMap<string, Tensor>): string {
  const hash = sha256.create().update(new TextEncoder().encode(header));
  for (const [name, { dtype, shape, data }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash
      .update(new TextEncoder().encode(`\n${JSON.stringify([name, dtype, shape])}`))
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return bytesToHex(hash.digest());
}

function parse(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new FormatError(`metadata are not JSON: ${(cause as Error).message}`, { where });
  }
}
