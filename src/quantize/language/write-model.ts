// A quantized language model as an artifact: in a file, tensor by tensor, or as bytes.

import { writeFileWhole } from "../../files/write-file";
import { appendArtifact, type WrittenArtifact } from "../../formats/write-artifact";
import type { Graph } from "../../graph/graph";
import type { Constant } from "../../graph/tensor";
import { storedText } from "../../text/stored-text";
import type { Tensors } from "./parts";
import type { Work } from "./work";

/** A source, its graph of codes, and that in blocks. */
interface CodedModel extends Pick<Work, "coded" | "source"> {
  readonly codedBlocks: readonly { readonly graph: Graph<Constant> }[];
}

/** Writes the artifact from the constants of all blocks. */
export async function writeModel(
  { coded, codedBlocks, source }: CodedModel,
  codesOf: (block: number) => Promise<Tensors>,
  provenance: Graph["provenance"],
  output: string | undefined,
  signal: AbortSignal | undefined,
) {
  const owner = new Map<string, number>();
  for (const [i, { graph }] of codedBlocks.entries())
    for (const name of graph.constants.keys()) if (!owner.has(name)) owner.set(name, i);
  const constants = new Map<string, Constant>([...coded.graph.constants].filter(([name]) => owner.has(name)));
  const graph = { ...coded.graph, constants, provenance };
  const read = async (name: string) => (await codesOf(owner.get(name)!)).get(name)!;
  const facts = storedText(source.text);
  if (output !== undefined) {
    let made: WrittenArtifact | undefined;
    const append = async (append: (bytes: Uint8Array) => Promise<void>) => {
      made = await appendArtifact(graph, read, append, facts);
    };
    await writeFileWhole(output, append, signal);
    return { contentHash: made!.contentHash, size: made!.bytes };
  }
  const pieces: Uint8Array[] = [];
  const { contentHash, bytes: size } = await appendArtifact(
    graph,
    read,
    async (bytes) => void pieces.push(bytes.slice()),
    facts,
  );
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { bytes, contentHash, size };
}
