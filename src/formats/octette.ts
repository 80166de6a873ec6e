// The artifact: a valid safetensors file whose metadata hold the graph, its integer layers, quantization and
// preprocessing as JSON (graph-rows.ts), with hashes and a self-test. Nothing about types of computed values is
// stored: they are inferred when the file is loaded.

import { FormatError } from "../errors";
import type { Graph } from "../graph/graph";
import { createSha256 } from "../graph/sha256";
import { bytesIn, type Constant, isVector, type Tensor } from "../graph/tensor";
import { verify } from "../graph/verify";
import { decodeGraph } from "./decode-graph";
import { encodeGraph } from "./encode-graph";
import { packInt4 } from "./int4";
import { type Metadata, readSealed, type SealKind, writeSealed } from "./seal";

/** Version of what the metadata mean: files of other versions are refused. */
export const ARTIFACT_VERSION = 4;
export const ARTIFACT: SealKind = {
  format: "octette",
  version: ARTIFACT_VERSION,
  noun: "octette model",
  hint: "Make one with `octette quantize MODEL.onnx -o OUT.octette`",
};

/** Said of a file where no weight is −128, which not every engine class multiplies. */
export const NARROW = "-127..127";

/** Whether a weight is −128. */
export const hasLowest = ({ dtype, shape }: Constant, bytes: Uint8Array) =>
  dtype === "i8" && !isVector(shape) && bytes.includes(0x80);

/** Throws where a file says that no weight is −128, and this tensor has one. */
export function checkNarrow(
  metadata: Metadata,
  name: string,
  type: Constant,
  bytes: Uint8Array,
  where: string,
): void {
  if (metadata.weight_codes === NARROW && hasLowest(type, bytes))
    throw new FormatError("a weight is not what the file says", {
      where: `${where}, tensor "${name}"`,
      expected: `codes in ${NARROW}`,
      got: "−128",
    });
}

/** A seeded input's output, hashed: what a device checks itself by. */
export interface SelfTest {
  readonly seed: number;
  /** SHA-256 of all outputs' bytes, in order. */
  readonly hash: string;
}

/** What a .octette file holds. */
export interface Artifact<C extends Constant = Tensor> {
  readonly graph: Graph<C>;
  /** SHA-256 of graph, quantization and tensors, as the file states it: what a delta names as its base, and applyDelta computes. */
  readonly contentHash: string;
  /** SHA-256 of the file's header, which has a hash of each tensor, this hash taken as zeros. */
  readonly fileHash: string;
  readonly selfTest?: SelfTest;
  /**
   * Of a language model: JSON of what its text needs (TextAssets of formats/language-source.ts), with names of tensors in place of its large texts. These
   * tensors are constants that no node reads.
   */
  readonly text?: string;
}

/** Bytes that tell an artifact. */
export const ARTIFACT_MARK_BYTES = 9;

/** Whether bytes begin as an artifact does: the length of a header, then JSON (safetensors). */
export const isArtifact = (bytes: Uint8Array): boolean => bytes[8] === 0x7b;

/** What an artifact says beside its graph and tensors. */
export type ArtifactFacts = Pick<Artifact, "selfTest" | "text">;

/** What stands in an artifact beside its tensors. */
export interface ArtifactParts {
  readonly graph: string;
  readonly provenance: string;
  readonly self_test?: string;
  readonly text?: string;
}

/** Bytes of an artifact. Equal graphs give equal bytes. Throws an OctetteError where the graph breaks a rule. */
export function writeArtifact(graph: Graph, facts: ArtifactFacts = {}): Uint8Array<ArrayBuffer> {
  const { parts, tensors } = artifactParts(graph, facts);
  return writeParts(tensors, parts);
}

/** A graph as it stands in a file. Throws an OctetteError where it breaks a rule. */
export function artifactParts<C extends Constant>(graph: Graph<C>, { selfTest, text }: ArtifactFacts) {
  verify(graph);
  checkDepth(graph.provenance, graph.name);
  const { json, tensors } = encodeGraph(graph);
  const parts: ArtifactParts = {
    graph: json,
    provenance: JSON.stringify(graph.provenance),
    ...(selfTest ? { self_test: `${selfTest.seed} ${selfTest.hash}` } : {}),
    ...(text === undefined ? {} : { text }),
  };
  return { parts, tensors };
}

/** Bytes of an artifact of tensors, and of its other parts as they stand in the file. */
export function writeParts(
  tensors: ReadonlyMap<string, Tensor>,
  parts: ArtifactParts,
): Uint8Array<ArrayBuffer> {
  const { stored, shapes } = packInt4(tensors);
  const isWide = [...tensors.values()].some((tensor) => hasLowest(tensor, bytesIn(tensor.data)));
  const codes = isWide ? {} : { weight_codes: NARROW };
  const metadata = { ...parts, ...shapes, ...codes, content_hash: contentHashOf(parts.graph, tensors) };
  return writeSealed(ARTIFACT, stored, metadata);
}

/** The parts of a whole artifact; what they say is not checked. */
export const readParts = (bytes: Uint8Array, where: string) => readSealed(bytes, ARTIFACT, where);

/**
 * Reads an artifact and checks its hash. Throws FormatError where the file is truncated, changed or not an artifact.
 * Constants are views of `bytes`.
 */
export function readArtifact(bytes: Uint8Array, where = "artifact"): Artifact {
  const { tensors, metadata } = readParts(bytes, where);
  for (const [name, tensor] of tensors) checkNarrow(metadata, name, tensor, bytesIn(tensor.data), where);
  return artifactOf(metadata, tensors, where);
}

/** The artifact of a file whose metadata were checked. */
export function artifactOf<C extends Constant>(
  metadata: Metadata,
  tensors: ReadonlyMap<string, C>,
  where: string,
): Artifact<C | Tensor> {
  const {
    graph: rows = "",
    provenance = "{}",
    content_hash: contentHash = "",
    file_hash: fileHash = "",
  } = metadata;
  const graph = decodeGraph(parse(rows, where), tensors, provenanceOf(provenance, where), where);
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
    ...(metadata.text === undefined ? {} : { text: metadata.text }),
  };
}

function provenanceOf(json: string, where: string): Record<string, unknown> {
  const value = parse(json, where);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FormatError("its provenance is not an object", { where });
  checkDepth(value, where);
  return value as Record<string, unknown>;
}

/** Lists and objects inside each other that provenance may have: what writes or shows it follows them. */
const MAX_DEPTH = 64;

function checkDepth(value: object, where: string): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH)
      throw new FormatError("its provenance is nested too deeply", {
        where,
        expected: `at most MAX_DEPTH = ${MAX_DEPTH}`,
      });
    level = level.flatMap((part) => (typeof part === "object" && part !== null ? Object.values(part) : []));
  }
}

/** What an artifact of the graph has as its content hash. */
export function contentHash(graph: Graph): string {
  const { json, tensors } = encodeGraph(graph);
  return contentHashOf(json, tensors);
}

/** SHA-256 of a graph as it stands in a file, and of its tensors. */
export function contentHashOf(header: string, tensors: ReadonlyMap<string, Tensor>): string {
  const hash = new ContentHash(header);
  for (const [name, tensor] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) hash.add(name, tensor);
  return hash.digest();
}

/** A content hash from tensor after tensor, in the order of their names. */
export class ContentHash {
  readonly #hash = createSha256();

  constructor(header: string) {
    this.#hash.update(new TextEncoder().encode(header));
  }

  add(name: string, { dtype, shape, data }: Tensor): void {
    const head = new TextEncoder().encode(`\n${JSON.stringify([name, dtype, shape])}`);
    this.#hash.update(head).update(bytesIn(data));
  }

  digest(): string {
    return this.#hash.digest();
  }
}

function parse(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new FormatError(`metadata are not JSON: ${(cause as Error).message}`, { where });
  }
}
