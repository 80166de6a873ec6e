// The graph of a decoder: ids of tokens to logits of the next, layer after layer, with caches as states.

import { OctetteError } from "../../errors";
import type { Graph, State } from "../../graph/graph";
import { addDims, subtractDims } from "../../graph/symbols";
import type { Constant } from "../../graph/tensor";
import { portableExp, portableLog } from "../../portable-math";
import { xielu } from "./activations";
import { alibiTable } from "./alibi";
import { attention } from "./attention";
import type { LayerSettings } from "./decoder-layers";
import type { DecoderSettings } from "./decoder-settings";
import { beside, findPart, layerParts, layerPrefixOf, needPart, type Part, prefixOf } from "./layer-names";
import { shortConvolution } from "./short-convolution";
import type { LanguageGraphWriter } from "./writer";

/** Writes a decoder: input `ids` i32 [1, tokens], output `logits` [1, rows, vocabulary]; symbols position, rows and cache. */
export function decoder(
  writer: LanguageGraphWriter,
  settings: DecoderSettings,
): Pick<Graph<Constant>, "name" | "inputs" | "outputs" | "states"> {
  const states: State[] = [];
  const { x, prefix, table } = decoderStates(writer, settings, states);
  const last = writer.slice(x, 1, subtractDims("tokens", "rows"), "tokens", "last");
  const logits = head(writer, settings, last, prefix, table);
  return {
    name: "decoder",
    inputs: [{ name: "ids", dtype: "i32", shape: [1, "tokens"] }],
    outputs: [logits],
    states,
  };
}

/** Writes a decoder up to the states after its last layer: their value, what names of tensors begin with, and the table of tokens. */
export function decoderStates(
  writer: LanguageGraphWriter,
  settings: DecoderSettings,
  states: State[],
): { readonly x: string; readonly prefix: string; readonly table: string } {
  const { weights } = writer;
  const prefix = prefixOf(weights);
  const layerPrefix = layerPrefixOf(weights, prefix);
  const table = needPart(weights, prefix, beside.embedding);
  rotaryAngles(writer, settings);
  if (settings.alibi) alibiTable(writer, settings.alibi, settings.maxPositions, settings.headDim);
  let x = embedded(writer, settings, prefix, table);
  if (settings.family.plainNorm && settings.family.hasEmbeddingNorm)
    x = plainNorm(writer, x, settings, "hidden.0");
  else if (settings.family.hasEmbeddingNorm)
    x = writer.norm(
      x,
      needPart(weights, prefix, beside.embeddingNorm),
      settings.hidden,
      settings.norm,
      "hidden.0",
    );
  for (const [i, layer] of settings.layers.entries())
    x = decoderLayer(x, { writer, settings, layer, prefix: layerPrefix(i), name: `layers.${i}`, states }, i);
  return { x, prefix, table };
}

/** The norm after the last layer, where the family has one. */
export function finalNorm(
  writer: LanguageGraphWriter,
  settings: DecoderSettings,
  x: string,
  prefix: string,
): string {
  const { weights } = writer;
  const { hidden, norm, family, isPostNorm } = settings;
  const own = isPostNorm ? undefined : findPart(weights, prefix, beside.finalNorm);
  if (!own && !family.plainNorm && !isPostNorm) needPart(weights, prefix, beside.finalNorm);
  if (own) return writer.norm(x, own, hidden, norm, "normed");
  return family.plainNorm ? plainNorm(writer, x, settings, "normed") : x;
}

/** Cosines and sines of the run's positions, and factors of their queries where they have some, once for each kind of layer. */
function rotaryAngles(writer: LanguageGraphWriter, { rotary }: DecoderSettings): void {
  for (const [kind, { frequencies, scale, queries }] of rotary) {
    const inverse = writer.weights.make(`${kind}.frequencies`, [frequencies.length], frequencies);
    const attributes = { position: [writer.position], tokens: ["tokens"], scale };
    writer.multiple("RotaryAngles", [inverse], [`${kind}.cos`, `${kind}.sin`], attributes);
    if (!queries) continue;
    const all = writer.weights.make(`${kind}.factors`, [queries.length, 1], queries);
    writer.slice(all, 0, writer.position, addDims(writer.position, "tokens"), `${kind}.queries`);
  }
}

/** The tokens' rows of the table, scaled, plus the rows of their positions. */
function embedded(
  writer: LanguageGraphWriter,
  settings: DecoderSettings,
  prefix: string,
  table: string,
): string {
  const { weights } = writer;
  const { hidden, vocabulary, embeddingScale, family } = settings;
  const output = family.hasEmbeddingNorm ? "embedded" : "hidden.0";
  const projection = findPart(weights, prefix, beside.projectIn);
  const positions =
    family.positions === "learned"
      ? needPart(weights, prefix, beside.positions)
      : findPart(weights, prefix, beside.positions);
  const width = projection ? weights.shapeOf(`${projection}.weight`)[1]! : hidden;
  const name = `${table}.weight`;
  const rows = weights.add(name, { tensors: [name], from: [vocabulary, width], shape: [vocabulary, width] });
  const isPlaced = positions !== undefined || family.positions === "sinusoidal";
  const isPlain = embeddingScale === 1 && !projection && !isPlaced;
  const gathered = writer.node("Gather", [rows, "ids"], isPlain ? output : "tokens.rows", { axis: 0 });
  const projected = projection
    ? writer.linear(gathered, projection, [hidden, width], isPlaced ? "tokens.projected" : output)
    : gathered;
  const scaled = writer.scaled(projected, embeddingScale, isPlaced ? "tokens.scaled" : output);
  if (positions && family.positions !== "learned")
    throw new OctetteError(
      `the tensor "${positions}.weight" is a table of positions, where rotary ones are expected`,
      {
        code: "unsupported",
        where: weights.source.where,
      },
    );
  if (family.positions === "sinusoidal") return writer.add(scaled, sinusoids(writer, settings), output);
  if (!positions) return scaled;
  const offset = family.positionOffset ?? 0;
  const most = settings.maxPositions + offset;
  const all = weights.add(`${positions}.weight`, {
    tensors: [`${positions}.weight`],
    from: [most, hidden],
    shape: [most, hidden],
  });
  const from = addDims(writer.position, offset);
  const own = writer.slice(all, 0, from, addDims(from, "tokens"), "positions.rows");
  return writer.add(scaled, own, output);
}

/** Sines, then cosines, of positions at rates from 1 down to 1 / 10,000 (Vaswani et al. 2017, arXiv:1706.03762, 3.5). */
function sinusoids(writer: LanguageGraphWriter, { hidden, family }: DecoderSettings): string {
  const half = Math.floor(hidden / 2);
  const step = portableLog(10000) / (half - 1);
  const rates = Float32Array.from({ length: half }, (_, i) => portableExp(-step * i));
  const made = writer.weights.make("positions.rates", [half], rates);
  const position = addDims(writer.position, family.positionOffset ?? 0);
  const attributes = { position: [position], tokens: ["tokens"], scale: 1 };
  writer.multiple("RotaryAngles", [made], ["positions.cos", "positions.sin"], attributes);
  return writer.node("Concat", ["positions.sin", "positions.cos"], "positions.rows", { axis: -1 });
}

interface Layering {
  readonly writer: LanguageGraphWriter;
  readonly settings: DecoderSettings;
  readonly layer: LayerSettings;
  readonly prefix: string;
  readonly name: string;
  readonly states: State[];
}

/** Where a layer's norms stand, found by which of them are there. */
function normsOf({ writer: { weights }, settings: { hasPostNorms }, prefix }: Layering) {
  const find = (part: Part | readonly string[]) =>
    findPart(weights, prefix, typeof part === "string" ? layerParts[part] : part);
  const behind = find(["post_feedforward_layernorm", "post_mlp_layernorm"]);
  const second = find(["post_attention_layernorm"]);
  const isBehind = weights.has(`${prefix}post_feedforward_layernorm.weight`);
  return {
    attention: find("attentionNorm"),
    feedForward: find("feedForwardNorm") ?? (isBehind ? undefined : second),
    behindAttention: hasPostNorms
      ? needPart(weights, prefix, ["post_norm1"])
      : (find(["post_self_attn_layernorm"]) ?? (isBehind ? second : undefined)),
    behindFeedForward: hasPostNorms ? needPart(weights, prefix, ["post_norm2"]) : behind,
  };
}

/** hidden.<i> to hidden.<i + 1>. */
function decoderLayer(x: string, layering: Layering, index: number): string {
  const { writer, settings, layer, name } = layering;
  const { family, norm, hidden, residualScale, isParallel, isPostNorm } = settings;
  const norms = normsOf(layering);
  const output = `hidden.${index + 1}`;
  const normalize = (value: string, part: string | undefined, to: string): string => {
    if (part) return writer.norm(value, part, hidden, norm, to);
    return family.plainNorm ? plainNorm(writer, value, settings, to) : value;
  };
  const behind = (value: string, part: string | undefined, to: string): string =>
    writer.scaled(
      part ? writer.norm(value, part, hidden, norm, `${to}.norm`) : value,
      residualScale,
      `${to}.scaled`,
    );
  const mix = (value: string): string =>
    behind(
      layer.kind === "convolution" ? shortConvolution(value, layering) : attention(value, layering),
      norms.behindAttention,
      `${name}.attention`,
    );
  const feed = (value: string): string =>
    behind(feedForward(value, layering), norms.behindFeedForward, `${name}.mlp`);
  if (isPostNorm) {
    const first = writer.add(x, mix(x), `${name}.attention.sum`);
    const middle = normalize(first, norms.attention, `${name}.attention.normed`);
    return normalize(writer.add(middle, feed(middle), `${name}.mlp.sum`), norms.feedForward, output);
  }
  const normed = normalize(x, norms.attention, `${name}.attention.input`);
  if (isParallel) {
    const input =
      norms.feedForward && !family.isSerial ? normalize(x, norms.feedForward, `${name}.mlp.input`) : normed;
    const sum = writer.add(x, mix(normed), `${name}.attention.sum`);
    return writer.add(sum, feed(input), output);
  }
  const middle = writer.add(x, mix(normed), `${name}.middle`);
  return writer.add(middle, feed(normalize(middle, norms.feedForward, `${name}.mlp.input`)), output);
}

/** A norm without scale and bias. */
const plainNorm = (
  writer: LanguageGraphWriter,
  x: string,
  { hidden, norm }: DecoderSettings,
  output: string,
): string => writer.plainNorm(x, "norm", hidden, norm, output);

/** down(activation(gate(x)) · up(x)), or down(activation(up(x))). */
function feedForward(x: string, { writer, settings, prefix, name }: Layering): string {
  const { weights } = writer;
  const { hidden, activation, norm, family } = settings;
  const down = needPart(weights, prefix, layerParts.down);
  const [rows, cols] = weights.shapeOf(`${down}.weight`) as [number, number];
  const inner = family.transposed ? rows : cols;
  const fused = findPart(weights, prefix, layerParts.gateUp);
  const gate = findPart(weights, prefix, layerParts.gate);
  weights.hasBias(fused ?? needPart(weights, prefix, layerParts.up), settings.hasBias.feedForward);
  const half = (part: string, begin: number): string =>
    writer.linearPart(
      x,
      fused!,
      part,
      { n: 2 * inner, k: hidden, rows: [[begin, begin + inner]] },
      `${name}.${part}`,
    );
  const layer = (part: "gate" | "up"): string =>
    fused
      ? half(part, part === "gate" ? 0 : inner)
      : writer.linear(
          x,
          needPart(weights, prefix, layerParts[part]),
          [inner, hidden],
          `${name}.${part}`,
          family.transposed,
        );
  const activate = (value: string, output: string): string =>
    activation === "xielu"
      ? xielu(writer, value, `${prefix}mlp.act_fn`, output)
      : writer.activation(activation, value, output);
  let wide: string;
  if (gate || fused) {
    const active = activate(layer("gate"), `${name}.gate.active`);
    wide = writer.node("Mul", [active, layer("up")], `${name}.gated`);
  } else wide = activate(layer("up"), `${name}.up.active`);
  const subNorm = findPart(weights, prefix, layerParts.downNorm);
  const last = subNorm ? writer.norm(wide, subNorm, inner, norm, `${name}.down.norm`) : wide;
  return writer.linear(last, down, [hidden, inner], `${name}.down`, family.transposed);
}

/** Final norm and logits of the rows that are wanted. */
function head(
  writer: LanguageGraphWriter,
  settings: DecoderSettings,
  x: string,
  prefix: string,
  table: string,
): string {
  const { weights } = writer;
  const { hidden, vocabulary, norm, family, isTied, logitScale, logitCap, headActivation } = settings;
  let normed = finalNorm(writer, settings, x, prefix);
  const projection = findPart(weights, prefix, beside.projectOut);
  const width = weights.shapeOf(`${table}.weight`)[1]!;
  if (projection) normed = writer.linear(normed, projection, [width, hidden], "projected");
  else if (width !== hidden) needPart(weights, prefix, beside.projectOut);
  const dense = findPart(weights, "", beside.headDense);
  if (dense) {
    const inner = writer.linear(normed, dense, [width, width], "head.dense");
    const active = writer.activation(headActivation, inner, "head.active");
    normed = writer.norm(active, "lm_head.norm", width, norm, "head.normed");
  }
  const isLast = logitScale === 1 && logitCap === 0;
  const raw = isLast ? "logits" : "logits.raw";
  const own = findPart(weights, "", beside.head);
  const from = isTied ? table : (own ?? needPart(weights, "", beside.head));
  // A file may repeat the table that it ties.
  if (isTied && own) weights.repeat(`${own}.weight`, `${table}.weight`, [vocabulary, width]);
  const biasName = dense ? "decoder.bias" : "lm_head.bias";
  const hasBias = weights.has(biasName) || family.hasHeadBias;
  const bias = hasBias ? writer.vector(biasName, vocabulary) : "";
  if (isTied) writer.node("Linear", [normed, `${table}.weight`, ...(bias ? [bias] : [])], raw);
  else writer.linear(normed, from, [vocabulary, width], raw);
  const scaled = writer.scaled(raw, logitScale, logitCap === 0 ? "logits" : "logits.scaled");
  if (logitCap === 0) return scaled;
  const within = writer.scaled(scaled, 1 / logitCap, "logits.within");
  return writer.scaled(writer.node("Tanh", [within], "logits.tanh"), logitCap, "logits");
}
