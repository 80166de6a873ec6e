// What follows the pooled states of a text: dense layers, and division by the length.

import type { EmbeddingSettings } from "../../formats/language-source";
import type { LanguageGraphWriter } from "./writer";

/** Writes the value `embedding` [batch, …] from states [batch, width], which `pool` writes to a value of the name it is given. */
export function writeEmbedding(
  writer: LanguageGraphWriter,
  hidden: number,
  { layers = [], isNormalized }: EmbeddingSettings,
  pool: (output: string) => string,
): void {
  const { weights } = writer;
  const to = (step: number): string => {
    if (step === layers.length && !isNormalized) return "embedding";
    return step === 0 ? "pooled" : `pooled.${step}`;
  };
  let vector = pool(to(0));
  let width = hidden;
  for (const [i, { name, hasBias, activation }] of layers.entries()) {
    const [count = 0] = weights.shapeOf(`${name}.weight`);
    weights.hasBias(name, hasBias);
    writer.needsBiases = hasBias;
    const output = to(i + 1);
    const linear = writer.linear(vector, name, [count, width], activation ? `${output}.linear` : output);
    vector = activation ? writer.activation(activation, linear, output) : linear;
    width = count;
  }
  if (!isNormalized) return;
  // x / √(mean(x²) · width): divided by its length.
  const factors = new Float32Array(width).fill(1 / Math.sqrt(width));
  const scale = weights.make("embedding.scale", [width], factors);
  writer.node("RMSNormalization", [vector, scale], "embedding", { axis: -1, epsilon: 1e-24 / width });
}
