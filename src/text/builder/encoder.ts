// The graph of an encoder: ids and lengths of a batch of texts to hidden states, which padding does not change.

import { addDims } from "../../graph/symbols";
import { disentangledBias, disentangledScale, distances } from "./disentangled";
import { encoderParts as parts } from "./encoder-names";
import type { EncoderLayer, EncoderSettings } from "./encoder-settings";
import { findPart, layerPrefixOf, needPart, prefixOf } from "./layer-names";
import { relativeBias } from "./relative-bias";
import { withoutDropped } from "./token-dropout";
import type { Rows } from "./weights";
import { windowMask } from "./window-mask";
import type { LanguageGraphWriter } from "./writer";

const TABLES = ["embeddings.word_embeddings", "embeddings.tok_embeddings", "embed_tokens"];
/** A table that files carry along although positions rotate. */
const UNUSED_POSITIONS = /(^|\.)embeddings\.position_embeddings\.weight$/;
const LAYERS = ["encoder.layer", "transformer.layer", "encoder.layers", "layers"];

/** The table of tokens by another name. */
const REPEATED = /^(encoder\.embed_tokens|lm_head)\.weight$/;

export interface EncodedTokens {
  /** What the names of its tensors begin with, heads aside. */
  readonly prefix: string;
  /** The table of tokens. */
  readonly table: string;
  /** Elements of a row of it. */
  readonly width: number;
  /** Whether the graph has an input `types`. */
  readonly hasTypes: boolean;
}

/** Writes an encoder up to the value `hidden` [batch, tokens, hidden]; inputs `ids`, `lengths`, and `types` where it has them. */
export function encoder(writer: LanguageGraphWriter, settings: EncoderSettings): EncodedTokens {
  const { weights } = writer;
  writer.needsBiases = !settings.family.isBiasOptional;
  const { tables = TABLES } = settings.family;
  const prefix = prefixOf(weights, tables);
  const table = needPart(weights, prefix, tables);
  if (tables !== TABLES) weights.ignore(REPEATED);
  const layerPrefix = settings.family.isShared
    ? () => `${prefix}encoder.albert_layer_groups.0.albert_layers.0.`
    : layerPrefixOf(weights, prefix, LAYERS);
  const width = weights.shapeOf(`${table}.weight`)[1] ?? settings.hidden;
  for (const [kind, { frequencies, scale }] of settings.rotary) {
    const stored = `${prefix}rotary_embeddings.inv_freq`;
    const shape = [frequencies.length];
    const isStored = settings.family.keepsFrequencies && weights.has(stored);
    const inverse = isStored
      ? weights.add(`${kind}.frequencies`, { tensors: [stored], from: shape, shape })
      : weights.make(`${kind}.frequencies`, shape, frequencies);
    const attributes = { position: [0], tokens: ["tokens"], scale };
    writer.multiple("RotaryAngles", [inverse], [`${kind}.cos`, `${kind}.sin`], attributes);
  }
  if (settings.disentangled) distances(writer, settings, prefix);
  if (settings.layers.includes("sliding_attention")) windowMask(writer, settings);
  const mask = settings.relativeBias ? relativeBias(writer, settings, settings.relativeBias, prefix) : "";
  const finalNorms = [
    "final_norm",
    "norm",
    "encoder.ln",
    "encoder.LayerNorm",
    "LayerNorm",
    "encoder.emb_layer_norm_after",
    "encoder.final_layer_norm",
  ];
  const finalNorm = settings.family.preNorm ? needPart(weights, prefix, finalNorms) : undefined;
  const last = finalNorm ? "hidden.last" : "hidden";
  const nameOf = (i: number) => (i === settings.layers.length ? last : `hidden.${i}`);
  const types = embedded(writer, settings, prefix, table, width, nameOf(0));
  for (const [i, layer] of settings.layers.entries())
    encoderLayer(
      nameOf(i),
      {
        writer,
        settings,
        layer,
        prefix: layerPrefix(i),
        name: `layers.${i}`,
        mask: layer === "sliding_attention" ? "window.mask" : mask,
        isFirst: i === 0,
      },
      nameOf(i + 1),
    );
  if (finalNorm) writer.norm(last, finalNorm, settings.hidden, settings.norm, "hidden");
  return { prefix, table, width, hasTypes: types > 1 };
}

/** Sum of tokens, types and positions, its norm, and the projection after a narrower table. Returns the number of types. */
function embedded(
  writer: LanguageGraphWriter,
  settings: EncoderSettings,
  prefix: string,
  table: string,
  width: number,
  output: string,
): number {
  const { weights } = writer;
  const { vocabulary, positions, firstPosition, norm, hidden } = settings;
  const tokens = weights.add(`${table}.weight`, {
    tensors: [`${table}.weight`],
    from: [vocabulary, width],
    shape: [vocabulary, width],
  });
  let sum = withoutDropped(
    writer,
    settings,
    writer.node("Gather", [tokens, "ids"], "tokens.rows", { axis: 0 }),
  );
  const typeTable = `${prefix}embeddings.token_type_embeddings.weight`;
  const types = weights.has(typeTable) || settings.types > 0 ? weights.shapeOf(typeTable)[0]! : 0;
  if (types > 0) {
    const shape = types === 1 ? [width] : [types, width];
    const rows = weights.add(typeTable, { tensors: [typeTable], from: [types, width], shape });
    const own = types === 1 ? rows : writer.node("Gather", [rows, "types"], "types.rows", { axis: 0 });
    sum = writer.add(sum, own, "types.sum");
  }
  const positionTable = `${prefix}embeddings.position_embeddings.weight`;
  if (settings.rotary.size === 0 && !settings.disentangled && !settings.family.isUnscaled) {
    const rows = weights.add(positionTable, {
      tensors: [positionTable],
      from: [positions, width],
      shape: [positions, width],
    });
    const own = writer.slice(rows, 0, firstPosition, addDims(firstPosition, "tokens"), "positions.rows");
    sum = writer.add(sum, own, "positions.sum");
  } else if (settings.family.isRotaryNamed) weights.ignore(UNUSED_POSITIONS);
  const embeddingNorm = findPart(weights, prefix, ["embeddings.LayerNorm", "embeddings.norm", "emb_ln"]);
  const projection = findPart(weights, prefix, ["embeddings_project", "encoder.embedding_hidden_mapping_in"]);
  const to = projection || width !== hidden ? "embedding.normed" : output;
  if (!settings.family.noEmbeddingNorm)
    sum = writer.norm(sum, embeddingNorm ?? `${prefix}embeddings.LayerNorm`, width, norm, to);
  if (projection || width !== hidden)
    writer.linear(sum, projection ?? `${prefix}embeddings_project`, [hidden, width], output);
  else if (settings.family.noEmbeddingNorm) writer.node("Identity", [sum], output);
  return types;
}

interface Layering {
  readonly writer: LanguageGraphWriter;
  readonly settings: EncoderSettings;
  readonly layer: EncoderLayer;
  readonly prefix: string;
  readonly name: string;
  /** What is added to its scores; "": nothing. */
  readonly mask: string;
  readonly isFirst: boolean;
}

function encoderLayer(x: string, layering: Layering, output: string): void {
  const { writer, settings, prefix, name, isFirst } = layering;
  const { hidden, norm, family } = settings;
  const { weights } = writer;
  const [first, second] = [parts.attentionNorm, parts.feedForwardNorm].map((names) =>
    findPart(weights, prefix, names),
  );
  const normalize = (value: string, part: string | undefined, to: string): string =>
    part ? writer.norm(value, part, hidden, norm, to) : value;
  if (family.preNorm) {
    // ModernBERT's first layer reads normalized values.
    const isNormed = isFirst && family.isFirstNormed;
    const own = isNormed
      ? undefined
      : (first ?? needPart(weights, prefix, [...parts.attentionNorm].reverse()));
    const mixed = attention(normalize(x, own, `${name}.attention.input`), layering);
    const middle = writer.add(x, mixed, `${name}.middle`);
    const before = second ?? needPart(weights, prefix, [...parts.feedForwardNorm].reverse());
    writer.add(middle, feedForward(normalize(middle, before, `${name}.mlp.input`), layering), output);
    return;
  }
  const sum = writer.add(x, attention(x, layering), `${name}.attention.sum`);
  const middle = writer.norm(
    sum,
    first ?? needPart(weights, prefix, parts.attentionNorm),
    hidden,
    norm,
    `${name}.middle`,
  );
  const last = writer.add(middle, feedForward(middle, layering), `${name}.mlp.sum`);
  writer.norm(last, second ?? needPart(weights, prefix, parts.feedForwardNorm), hidden, norm, output);
}

function attention(x: string, { writer, settings, layer, prefix, name, mask }: Layering): string {
  const { weights } = writer;
  const { hidden, heads, headDim, rotary, rotatesValues, family, disentangled } = settings;
  const size = heads * headDim;
  const rowsOf = (i: number): Rows =>
    family.isFusedByHead
      ? Array.from({ length: heads }, (_, h) => [(3 * h + i) * headDim, (3 * h + i + 1) * headDim] as const)
      : [[i * size, (i + 1) * size]];
  // DeBERTa's keys have no bias, and those of queries and values are tensors of their own.
  const biasOf = (part: string) =>
    family.isFusedByHead && part !== "k" ? `${prefix}attention.self.${part}_bias` : undefined;
  const fused = findPart(weights, prefix, parts.qkv);
  weights.hasBias(fused ?? needPart(weights, prefix, parts.q), settings.hasBias);
  const [q, k, v] = (["q", "k", "v"] as const).map((part, i) =>
    fused
      ? writer.linearPart(
          x,
          fused,
          part,
          { n: 3 * size, k: hidden, rows: rowsOf(i), bias: biasOf(part) },
          `${name}.${part}`,
        )
      : writer.linear(x, needPart(weights, prefix, parts[part]), [size, hidden], `${name}.${part}`),
  );
  const rotate = (value: string) =>
    rotary.size === 0
      ? value
      : writer.node("RotaryEmbedding", [value, `${layer}.cos`, `${layer}.sin`], `${value}.rotated`, {
          num_heads: heads,
          ...(family.interleaved && { interleaved: 1 }),
        });
  const added = disentangled ? disentangledBias(writer, settings, q!, k!, prefix) : mask;
  const inputs = [rotate(q!), rotate(k!), rotatesValues ? rotate(v!) : v!, added, "", "", "lengths"];
  const mixed = writer.node("Attention", inputs, `${name}.attention`, {
    q_num_heads: heads,
    kv_num_heads: heads,
    scale: family.isUnscaled ? 1 : disentangled ? disentangledScale(headDim) : 1 / Math.sqrt(headDim),
  });
  return writer.linear(
    mixed,
    needPart(weights, prefix, parts.attentionOut),
    [hidden, size],
    `${name}.attention.out`,
  );
}

function feedForward(x: string, { writer, settings, prefix, name }: Layering): string {
  const { weights } = writer;
  const { hidden, activation } = settings;
  const down = needPart(weights, prefix, parts.down);
  const inner = weights.shapeOf(`${down}.weight`)[1]!;
  const isUpFirst = findPart(weights, prefix, parts.upGate) !== undefined;
  const fused = findPart(weights, prefix, isUpFirst ? parts.upGate : parts.gateUp);
  const gate = findPart(weights, prefix, parts.gate);
  const half = (part: string, begin: number): string =>
    writer.linearPart(
      x,
      fused!,
      part,
      { n: 2 * inner, k: hidden, rows: [[begin, begin + inner]] },
      `${name}.${part}`,
    );
  const up = (): string =>
    fused
      ? half("up", isUpFirst ? 0 : inner)
      : writer.linear(x, needPart(weights, prefix, parts.up), [inner, hidden], `${name}.up`);
  if (!fused && !gate)
    return writer.linear(
      writer.activation(activation, up(), `${name}.up.active`),
      down,
      [hidden, inner],
      `${name}.down`,
    );
  const opened = fused
    ? half("gate", isUpFirst ? inner : 0)
    : writer.linear(x, gate!, [inner, hidden], `${name}.gate`);
  const active = writer.activation(activation, opened, `${name}.gate.active`);
  const gated = writer.node("Mul", [active, up()], `${name}.gated`);
  return writer.linear(gated, down, [hidden, inner], `${name}.down`);
}
