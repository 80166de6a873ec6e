// Writes an artifact tensor by tensor: none but one is in memory. Tensors are read twice, first for the hashes that stand in the
// header, in the order of their names, then for the file, in its order.

import { OctetteError } from "../errors";
import type { Graph } from "../graph/graph";
import { bytesIn, type Constant, sizeOf, type Tensor } from "../graph/tensor";
import { fitsInt4, int4Shape, packedInt4 } from "./int4";
import { ARTIFACT, type ArtifactFacts, artifactParts, ContentHash, hasLowest, NARROW } from "./octette";
import { sealedHead, tensorHashOf } from "./seal";

export interface WrittenArtifact {
  readonly contentHash: string;
  /** Bytes of the whole file. */
  readonly bytes: number;
}

/** What an artifact says beside its graph, and tensors that its text names. */
export interface AppendedFacts extends ArtifactFacts {
  readonly texts?: ReadonlyMap<string, Tensor>;
}

/**
 * Appends the bytes of an artifact, the same that writeArtifact gives for the graph with its elements, and tensors of text. `read`
 * gives a constant's elements and is called twice for each, in between for none that the graph has; it must give the same both times.
 * @throws OctetteError where the graph breaks a rule, or a constant is not of its type.
 */
export async function appendArtifact(
  graph: Graph<Constant>,
  read: (constant: string) => Promise<Tensor>,
  append: (bytes: Uint8Array) => Promise<void>,
  facts: AppendedFacts = {},
): Promise<WrittenArtifact> {
  const known = await withScalars(graph, read);
  const { parts, tensors: constants } = artifactParts(known, facts);
  const tensors = new Map<string, Constant>([...constants, ...(facts.texts ?? [])]);
  const tensorOf = async (name: string): Promise<Tensor> => {
    const constant = tensors.get(name)!;
    return constant.data ? (constant as Tensor) : checked(name, constant, await read(name));
  };
  const content = new ContentHash(parts.graph);
  const stored = new Map<string, Constant>();
  const hashes = new Map<string, string>();
  const shapes: Record<string, string> = {};
  let isNarrow = true;
  for (const name of [...tensors.keys()].sort()) {
    const tensor = await tensorOf(name);
    content.add(name, tensor);
    isNarrow &&= !hasLowest(tensor, bytesIn(tensor.data));
    const { data, ...type } = fitsInt4(tensor) ? packedInt4(tensor) : tensor;
    hashes.set(name, tensorHashOf(bytesIn(data)));
    stored.set(name, type);
    const [key, shape] = int4Shape(name, tensor);
    if (type.dtype !== tensor.dtype) shapes[key] = shape;
  }
  const contentHash = content.digest();
  const codes = isNarrow ? { weight_codes: NARROW } : {};
  const metadata = { ...parts, ...shapes, ...codes, content_hash: contentHash };
  // Where several tensors may lie is decided by their names, so the order of this map does not matter.
  const { head, order, fileBytes } = sealedHead(ARTIFACT, stored, metadata, (name) => hashes.get(name)!);
  await append(head);
  for (const name of order) {
    const tensor = await tensorOf(name);
    const { data } = stored.get(name)!.dtype === tensor.dtype ? tensor : packedInt4(tensor);
    if (tensorHashOf(bytesIn(data)) !== hashes.get(name))
      throw new OctetteError("a constant changed while it was written", {
        code: "argument",
        where: `${graph.name}, constant "${name}"`,
      });
    await append(bytesIn(data));
  }
  return { contentHash, bytes: fileBytes };
}

/** Numbers of one element stand in the graph itself. */
async function withScalars(
  graph: Graph<Constant>,
  read: (constant: string) => Promise<Tensor>,
): Promise<Graph<Constant>> {
  const constants = new Map(graph.constants);
  for (const [name, constant] of constants)
    if (!constant.data && sizeOf(constant.shape) === 1)
      constants.set(name, checked(name, constant, await read(name)));
  return { ...graph, constants };
}

function checked(name: string, type: Constant, tensor: Tensor): Tensor {
  if (tensor.dtype === type.dtype && `${tensor.shape}` === `${type.shape}`) return tensor;
  throw new OctetteError("a constant is not of its type", {
    code: "graph",
    where: `constant "${name}"`,
    expected: `${type.dtype} [${type.shape}]`,
    got: `${tensor.dtype} [${tensor.shape}]`,
  });
}
