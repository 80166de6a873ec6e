// Attention of a decoder's layer: q, k and v from whatever tensors hold them, their norms and rotation, a cache, and the output projection.

import { OctetteError } from "../../errors";
import type { State } from "../../graph/graph";
import type { LayerSettings } from "./decoder-layers";
import type { DecoderSettings } from "./decoder-settings";
import { findPart, layerParts, needPart } from "./layer-names";
import type { Rows } from "./weights";
import type { LanguageGraphWriter, NormSettings } from "./writer";

export interface Attending {
  readonly writer: LanguageGraphWriter;
  readonly settings: DecoderSettings;
  readonly layer: LayerSettings;
  /** What names of its tensors begin with. */
  readonly prefix: string;
  /** What names of its values begin with. */
  readonly name: string;
  readonly states: State[];
}

/** The result of attention over x [1, tokens, hidden], before the residual sum. */
export function attention(x: string, attending: Attending): string {
  const { writer, settings, layer, prefix, name, states } = attending;
  const { heads, kvHeads, headDim, hidden, clip, norm, attentionCap } = settings;
  const bounded = (value: string) =>
    clip === 0 ? value : writer.node("Clip", [value], `${value}.clipped`, { min: -clip, max: clip });
  const [q, k, v] = projected(x, attending).map(bounded) as [string, string, string];
  const isNormed = settings.hasHeadNorms ?? (hasNorm(attending, "q") || hasNorm(attending, "k"));
  const [rotatedQ, rotatedK] = (
    [
      [q, "q", heads],
      [k, "k", kvHeads],
    ] as const
  ).map(([value, part, count]) => {
    const normalize = (one: string) => (isNormed ? headNorm(attending, one, part, count) : one);
    const rotate = (one: string) => rotated(attending, one, part, count);
    return settings.family.normAfterRotary ? normalize(rotate(value)) : rotate(normalize(value));
  });
  const sizes = { scale: layer.scale, softcap: attentionCap };
  const cache = (part: string, dim: number): string => {
    states.push({ name: `${name}.${part}`, dtype: "f32", shape: ["cache", kvHeads * dim] });
    return `${name}.${part}`;
  };
  const query =
    layer.rotary && settings.rotary.get(layer.rotary)!.queries
      ? writer.node("Mul", [rotatedQ!, `${layer.rotary}.queries`], `${name}.q.grown`)
      : rotatedQ!;
  const overAll = (isCausal: boolean): string =>
    writer.node(
      "Attention",
      [query, rotatedK!, v, ...(layer.window > 0 ? ["window.mask"] : [])],
      `${name}.attention`,
      { ...sizes, q_num_heads: heads, kv_num_heads: kvHeads, is_causal: isCausal ? 1 : 0 },
    );
  const cached = (): string => {
    const inputs = [query, rotatedK!, v, cache("keys", headDim), cache("values", headDim)];
    if (settings.alibi) inputs.push("alibi");
    const own = { num_heads: heads, kv_num_heads: kvHeads, window: layer.window, position: ["position"] };
    return writer.node("CachedAttention", inputs, `${name}.attention`, { ...sizes, ...own });
  };
  const mixed = settings.wholeTexts ? overAll(settings.wholeTexts.isCausal) : cached();
  const subNorm = findPart(writer.weights, prefix, layerParts.attentionOutNorm);
  const size = heads * headDim;
  const out = subNorm ? writer.norm(mixed, subNorm, size, norm, `${name}.attention.norm`) : mixed;
  const last = needPart(writer.weights, prefix, layerParts.attentionOut);
  return writer.linear(out, last, [hidden, size], `${name}.attention.out`, settings.family.transposed);
}

/** q, k and v, of one layer each, or of the rows of one for all. */
function projected(x: string, attending: Attending): string[] {
  const { writer, settings, prefix, name } = attending;
  const { heads, kvHeads, headDim, hidden, family } = settings;
  const sizes = [heads * headDim, kvHeads * headDim, kvHeads * headDim] as const;
  const fused = findPart(writer.weights, prefix, layerParts.qkv);
  const hasBias = writer.weights.hasBias(
    fused ?? needPart(writer.weights, prefix, layerParts.q),
    settings.hasBias.attention,
  );
  if (!fused)
    return (["q", "k", "v"] as const).map((part, i) => {
      const layer = needPart(writer.weights, prefix, layerParts[part]);
      writer.weights.hasBias(layer, hasBias);
      return writer.linear(x, layer, [sizes[i]!, hidden], `${name}.${part}`);
    });
  const n = sizes[0] + sizes[1] + sizes[2];
  const from = family.transposed ? [hidden, n] : [n, hidden];
  return fusedRows(settings).map((rows, i) => {
    const part = ["q", "k", "v"][i]!;
    const weight = writer.weights.add(`${fused}.${part}.weight`, {
      tensors: [`${fused}.weight`],
      from,
      shape: [sizes[i]!, hidden],
      rows,
      isTransposed: family.transposed,
    });
    const inputs = [x, weight];
    if (hasBias)
      inputs.push(
        writer.weights.add(`${fused}.${part}.bias`, {
          tensors: [`${fused}.bias`],
          from: [n],
          shape: [sizes[i]!],
          rows,
        }),
      );
    return writer.node("Linear", inputs, `${name}.${part}`);
  });
}

/** Which rows of a fused layer are q, k and v. */
function fusedRows(settings: DecoderSettings): [Rows, Rows, Rows] {
  const { heads, kvHeads, headDim: d, family, isGrouped } = settings;
  const each = (count: number, width: number, begin: (i: number) => number): Rows =>
    Array.from({ length: count }, (_, i) => [begin(i), begin(i) + width] as const);
  const perHead = [0, 1, 2].map((part) => each(heads, d, (i) => (3 * i + part) * d));
  if (
    family.fused === "heads" ||
    (family.fused && family.fused !== "codegen" && kvHeads === heads && !isGrouped)
  )
    return perHead as [Rows, Rows, Rows];
  if (family.fused === "falcon" && isGrouped) {
    const group = (heads / kvHeads + 2) * d;
    return [
      each(kvHeads, group - 2 * d, (i) => i * group),
      each(kvHeads, d, (i) => (i + 1) * group - 2 * d),
      each(kvHeads, d, (i) => (i + 1) * group - d),
    ];
  }
  if (family.fused === "codegen") {
    const part = (heads * d) / CODEGEN_PARTS;
    const [q, v, k] = [0, 1, 2].map((at) => each(CODEGEN_PARTS, part, (i) => (3 * i + at) * part));
    return [q!, k!, v!];
  }
  const q = heads * d;
  const k = kvHeads * d;
  return [[[0, q]], [[q, q + k]], [[q + k, q + 2 * k]]];
}

/** Parts in which CodeGen's files keep q, v and k, one a processor it was trained on. */
const CODEGEN_PARTS = 4;

/** The first of the norms that each head has for itself. */
const firstNorm = (prefix: string, part: "q" | "k"): string =>
  `${prefix}self_attn.${part}_layernorm.norms.0.weight`;

const hasNorm = ({ writer: { weights }, prefix }: Attending, part: "q" | "k"): boolean =>
  findPart(weights, prefix, layerParts[`${part}Norm`]) !== undefined || weights.has(firstNorm(prefix, part));

/** A norm of each head by itself, or of all in one, as the shape of its scale says. */
function headNorm(
  { writer, settings, prefix, name }: Attending,
  x: string,
  part: "q" | "k",
  heads: number,
): string {
  const { headDim, norm } = settings;
  const { weights } = writer;
  const output = `${name}.${part}.norm`;
  const first = firstNorm(prefix, part);
  if (weights.has(first)) return ownNorms(writer, x, first, heads, settings, output);
  const perHead = (make: (heads: string) => string): string => {
    const apart = writer.reshape(x, [1, "tokens", heads, headDim], `${output}.heads`);
    return writer.reshape(make(apart), [1, "tokens", heads * headDim], output);
  };
  if (settings.family.plainNorm)
    return perHead((apart) => writer.plainNorm(apart, output, headDim, norm, `${output}.each`));
  const weight = needPart(weights, prefix, layerParts[`${part}Norm`]);
  const { headNormScales } = settings.family;
  const found = weights.shapeOf(`${weight}.weight`);
  const shape = headNormScales
    ? { same: [headDim], together: [heads * headDim], own: [heads, headDim] }[headNormScales]
    : found;
  if (shape.length === 1 && shape[0] === headDim && headNormScales !== "together")
    return perHead((apart) => writer.norm(apart, weight, headDim, norm, `${output}.each`));
  if (shape.length === 1) return writer.norm(x, weight, heads * headDim, norm, output);
  if (shape.length !== 2)
    throw new OctetteError(`the tensor "${weight}.weight" has another shape`, {
      code: "format",
      where: weights.source.where,
      expected: `[${headDim}], [${heads * headDim}] or [${heads}, ${headDim}]`,
      got: `[${shape}]`,
    });
  const scales = weights.add(`${weight}.weight`, {
    tensors: [`${weight}.weight`],
    from: [heads, headDim],
    shape: [heads, headDim],
    plus: norm.offset,
  });
  return perHead((apart) => scaledNorm(writer, apart, scales, headDim, norm, output));
}

/** Norms of a tensor for each head. */
function ownNorms(
  writer: LanguageGraphWriter,
  x: string,
  first: string,
  heads: number,
  { headDim, norm }: DecoderSettings,
  output: string,
): string {
  const tensors = Array.from({ length: heads }, (_, i) => first.replace("norms.0.", `norms.${i}.`));
  const scales = writer.weights.add(first.replace("norms.0.", "norms."), {
    tensors,
    from: [headDim],
    shape: [heads, headDim],
    plus: norm.offset,
  });
  const apart = writer.reshape(x, [1, "tokens", heads, headDim], `${output}.heads`);
  const each = scaledNorm(writer, apart, scales, headDim, norm, output);
  return writer.reshape(each, [1, "tokens", heads * headDim], output);
}

/** A norm of each head, times scales of its own. */
function scaledNorm(
  writer: LanguageGraphWriter,
  heads: string,
  scales: string,
  size: number,
  norm: NormSettings,
  output: string,
): string {
  const plain = writer.plainNorm(heads, output, size, norm, `${output}.plain`);
  return writer.node("Mul", [plain, scales], `${output}.each`);
}

function rotated(
  { writer, settings, layer, name }: Attending,
  x: string,
  part: string,
  heads: number,
): string {
  if (!layer.rotary) return x;
  const { frequencies } = settings.rotary.get(layer.rotary)!;
  const dim = 2 * frequencies.length;
  return writer.node(
    "RotaryEmbedding",
    [x, `${layer.rotary}.cos`, `${layer.rotary}.sin`],
    `${name}.${part}.rotated`,
    {
      num_heads: heads,
      interleaved: settings.family.interleaved ? 1 : 0,
      // 0: all of a head.
      rotary_embedding_dim: dim === settings.headDim ? 0 : dim,
    },
  );
}
