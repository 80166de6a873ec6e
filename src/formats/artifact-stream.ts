// Artifacts read in the order of their file: tensor by tensor, each straight to where it is kept.

import { OctetteError } from "../errors";
import { bytesIn, type Constant, isVector, type Reading, type Tensor } from "../graph/tensor";
import { unpackInt4 } from "./int4";
import { ARTIFACT, type Artifact, artifactOf, checkNarrow, NARROW } from "./octette";
import { isPlain, ownDtypeOf, readOwnHeader, readOwnTensor } from "./own-tensors";
import {
  checkLength,
  type SafetensorsEntry,
  type SafetensorsHeader,
  safetensorsHeaderBytes,
} from "./safetensors-header";
import { checkKind, openSeal, type Seal } from "./seal";

/** What takes the tensors of an artifact that is read in order. */
export interface TensorSink {
  /** Memory that a tensor's elements can be read to, where it has any for them. */
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
    const header = readOwnHeader(bytes, where);
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
      constants.set(entry.name, { dtype: ownDtypeOf(entry), shape: entry.shape, isNarrow });
    const put = (sink: TensorSink, name: string, bytes: Uint8Array) => {
      checkNarrow(metadata, name, constants.get(name)!, bytes, where);
      sink.put(name, bytes);
    };
    const vectors = entries.filter(({ shape }) => isVector(shape));
    const known = vectors.length > 0 ? entries.indexOf(vectors.at(-1)!) + 1 : 0;
    const early: Map<string, Tensor> = new Map();
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
      const isInt4 = entry.dtype === "I4";
      const place = isPlain(entry) || isInt4 ? sink.placeOf(entry.name) : undefined;
      if (place) {
        const bytes = place.subarray(place.length - entry.bytes);
        yield* this.#fill(bytes);
        this.#seal!(entry, bytes);
        if (isInt4) unpackInt4(place, bytes);
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
    return readOwnTensor(entry, bytes, this.#where);
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
