// An artifact of a folder of Hugging Face, with float weights as the folder has them.

import { openFolder } from "../../src/formats/hugging-face/open";
import type { TextAssets } from "../../src/formats/language-source";
import { type AppendedFacts, appendArtifact } from "../../src/formats/write-artifact";
import { buildLanguageGraph } from "../../src/text/builder/build";
import { storedText } from "../../src/text/stored-text";

export async function artifactOfFolder(
  folder: string,
  factsOf: (text: TextAssets) => AppendedFacts = storedText,
): Promise<Uint8Array> {
  const source = await openFolder(folder);
  const { graph, read, text } = buildLanguageGraph(source);
  const parts: Uint8Array[] = [];
  await appendArtifact(graph, read, async (bytes) => void parts.push(bytes.slice()), factsOf(text));
  await source.close();
  return new Uint8Array(Buffer.concat(parts));
}
