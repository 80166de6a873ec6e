// The artifact: a valid safetensors file whose metadata hold the graph, its integer layers, quantization and
// preprocessing as JSON (graph-rows.ts), with hashes and a self-test. Nothing about types of computed values is
// stored: they are inferred when the file is loaded.

import { FormatError, OctetteError } from "../errors";
import type { Graph } from "../graph/graph";
import { createSha256 } from "../graph/sha256";
import { bytesIn, type Constant, isVector, type Reading, type Tensor } from "../graph/tensor";
import { verify } from "../graph/verify";
import { decodeGraph } from "./decode-graph";
import { encodeGraph } from "./encode-graph";
import { packInt4 } from "./int4";
import {
  checkLength,
  dtypeOf,
  isPlain,
  readSafetensorsHeader,
  readSafetensorsTensor,
  type SafetensorsEntry,
  type SafetensorsHeader,
  safetensorsHeaderBytes,
} from "./safetensors";
import {
  checkKind,
  type Metadata,
  openSeal,
  readSealed,
  type Seal,
  type SealKind,
  writeSealed,
} from "./seal";

/** Version of what the metadata mean: files of other versions are refused. */
export const ARTIFACT_VERSION = 4;
const ARTIFACT: SealKind = {
  format: "octette",
  version: ARTIFACT_VERSION,
  noun: "octette model",
  hint: "Make one with `octette quantize MODEL.onnx -o OUT.octette`",
};

/** Said of a file where no weight is −128, which not every engine class multiplies. */
const NARROW = "-127..127";

const hasLowest = ({ dtype, shape }: Constant, bytes: Uint8Array) =>
  dtype === "i8" && !isVector(shape) && bytes.includes(0x80);

/** Throws where a file says that no weight is −128, and this tensor has one. */
function checkNarrow(
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

export interface Artifact<C extends Constant = Tensor> {
  readonly graph: Graph<C>;
  /** SHA-256 of graph, quantization and tensors, as the file states it: what a delta names as its base, and applyDelta computes. */
  readonly contentHash: string;
  /** SHA-256 of the file's header, which has a hash of each tensor, this hash taken as zeros. */
  readonly fileHash: string;
  readonly selfTest?: SelfTest;
}

/** Bytes that tell an artifact. */
export const ARTIFACT_MARK_BYTES = 9;

/** Whether bytes begin as an artifact does: the length of a header, then JSON (safetensors). */
export const isArtifact = (bytes: Uint8Array): boolean => bytes[8] === 0x7b;

/** Bytes of an artifact. Equal graphs give equal bytes. Throws an OctetteError where the graph breaks a rule. */
export function writeArtifact(graph: Graph, selfTest?: SelfTest): Uint8Array<ArrayBuffer> {
  verify(graph);
  checkDepth(graph.provenance, graph.name);
  const { json, tensors } = encodeGraph(graph);
  return writeParts(tensors, {
    graph: json,
    provenance: JSON.stringify(graph.provenance),
    ...(selfTest ? { self_test: `${selfTest.seed} ${selfTest.hash}` } : {}),
  });
}

/** Bytes of an artifact of tensors, and of its other parts as they stand in the file. */
export function writeParts(
  tensors: ReadonlyMap<string, Tensor>,
  parts: { readonly graph: string; readonly provenance: string; readonly self_test?: string },
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

/** What takes the tensors of an artifact that is read in order. */
export interface TensorSink {
  /** Memory that a tensor's bytes can be read straight to, where it has any for it. */
  placeOf(name: string): Uint8Array | undefined;
  /** Takes the bytes of a tensor, which may lie in their place already. */
  put(name: string, bytes: Uint8Array): void;
}

/**
 * Reads an artifact in the order of its file, with the checks of readArtifact. `open` gets the graph, its constants without
 * elements but for vectors, and says where the other tensors go; they are not kept here. A tensor that lies before a vector is kept
 * until the vector was read, which writeArtifact avoids. The header is checked before `open` is called, each tensor before it is put.
 */
export function* streamArtifact(
  open: (artifact: Artifact<Constant>) => Reading<TensorSink>,
  where: string,
  size?: number,
): Reading<void> {
  const stream = new ArtifactStream(where);
  yield* stream.deliver(yield* stream.open(size), open);
  yield* stream.end();
}

class ArtifactStream {
  readonly #where: string;
  #seal: Seal | undefined;
  #at = 0;
  #fileBytes = 8;

  constructor(where: string) {
    this.#where = where;
  }

  *open(size: number | undefined): Reading<SafetensorsHeader> {
    const where = this.#where;
    const start = new Uint8Array(8);
    yield* this.#fill(start);
    const bytes = new Uint8Array((this.#fileBytes = safetensorsHeaderBytes(start, where)));
    bytes.set(start);
    yield* this.#fill(bytes.subarray(8));
    const header = readSafetensorsHeader(bytes, where);
    this.#fileBytes = header.fileBytes;
    if (size !== undefined) checkLength(size, header.fileBytes, where);
    checkKind(header.metadata, ARTIFACT, where);
    this.#seal = openSeal(bytes, header, where);
    return header;
  }

  *deliver(
    { entries, metadata }: SafetensorsHeader,
    open: (artifact: Artifact<Constant>) => Reading<TensorSink>,
  ): Reading<void> {
    const where = this.#where;
    const constants = new Map<string, Constant>();
    const isNarrow = metadata.weight_codes === NARROW;
    for (const entry of entries)
      constants.set(entry.name, { dtype: dtypeOf(entry, where), shape: entry.shape, isNarrow });
    const put = (sink: TensorSink, name: string, bytes: Uint8Array) => {
      checkNarrow(metadata, name, constants.get(name)!, bytes, where);
      sink.put(name, bytes);
    };
    const vectors = entries.filter(({ shape }) => isVector(shape));
    const known = vectors.length > 0 ? entries.indexOf(vectors.at(-1)!) + 1 : 0;
    const early: Tensors = new Map();
    for (const entry of entries.slice(0, known)) {
      const tensor = yield* this.#tensor(entry);
      if (isVector(entry.shape)) constants.set(entry.name, tensor);
      else early.set(entry.name, tensor);
    }
    const sink = yield* open(artifactOf(metadata, constants, where));
    for (const [name, { data }] of early) {
      put(sink, name, bytesIn(data));
      early.delete(name);
    }
    for (const entry of entries.slice(known)) {
      const place = isPlain(entry) ? sink.placeOf(entry.name) : undefined;
      if (place) {
        yield* this.#fill(place);
        this.#seal!(entry, place);
      }
      put(sink, entry.name, place ?? bytesIn((yield* this.#tensor(entry)).data));
    }
  }

  *end(): Reading<void> {
    if ((yield new Uint8Array(1)) > 0) checkLength(this.#at + 1, this.#fileBytes, this.#where);
  }

  *#tensor(entry: SafetensorsEntry): Reading<Tensor> {
    const bytes = this.#allocate(entry);
    yield* this.#fill(bytes);
    this.#seal!(entry, bytes);
    return readSafetensorsTensor(entry, bytes, this.#where);
  }

  #allocate({ name, bytes }: SafetensorsEntry): Uint8Array {
    try {
      return new Uint8Array(bytes);
    } catch {
      throw new OctetteError("this engine has no such memory to give", {
        code: "limit",
        where: `${this.#where}, tensor "${name}"`,
        got: `${bytes} bytes`,
      });
    }
  }

  *#fill(target: Uint8Array): Reading<void> {
    const count = target.length > 0 ? yield target : 0;
    this.#at += count;
    if (count < target.length) checkLength(this.#at, this.#fileBytes, this.#where);
  }
}

type Tensors = Map<string, Tensor>;

/** The artifact of a file whose metadata were checked. */
function artifactOf<C extends Constant>(
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
  const hash = createSha256().update(new TextEncoder().encode(header));
  for (const [name, { dtype, shape, data }] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(new TextEncoder().encode(`\n${JSON.stringify([name, dtype, shape])}`)).update(bytesIn(data));
  return hash.digest();
}

function parse(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new FormatError(`metadata are not JSON: ${(cause as Error).message}`, { where });
  }
}
