// Disentangled attention of DeBERTa (He et al. 2021, arXiv:2006.03654): besides query with key, scores have query with the distance to
// the key, and key with the distance to it. Embeddings of distances go through layers of their own, or since its third version through those
// of keys and of queries.

import { addDims, multiplyDims, subtractDims } from "../../graph/symbols";
import { portableLog } from "../../portable-math";
import { checkActivation } from "./activations";
import { encoderParts } from "./encoder-names";
import type { EncoderSettings } from "./encoder-settings";
import { needPart } from "./layer-names";
import { MAX_TABLE, type Settings } from "./settings";
import type { Rows } from "./weights";
import type { LanguageGraphWriter } from "./writer";

/** What a family means by distances. */
export interface DisentangledFamily {
  /** Each distance has an embedding, as it is. Left out: far ones share buckets, and embeddings are normalized. */
  readonly isLinear?: true;
}

/** What settings say of distances. */
export interface Disentangled extends DisentangledFamily {
  /** Buckets of either direction. */
  readonly buckets: number;
  /** Distance at which they end. */
  readonly most: number;
  /** Function of the layer for whole texts. */
  readonly poolerActivation: string;
}

/** Products that a score is the sum of. */
const PRODUCTS = 3;

/** Reads the settings. Throws OctetteError "unsupported" for another kind of distances. */
export function disentangledOf(
  settings: Settings,
  { isLinear }: DisentangledFamily,
  positions: number,
): Disentangled {
  const kinds = settings.value("pos_att_type");
  if (!/^(p2c\W+c2p|c2p\W+p2c)$/.test(String(kinds)))
    throw settings.wrong("pos_att_type", "p2c and c2p", kinds);
  if (!settings.flag("relative_attention", false)) throw settings.wrong("relative_attention", "true", false);
  const relative = settings.count("max_relative_positions", -1, -1, MAX_TABLE);
  const most = relative < 1 ? positions : relative;
  const poolerActivation = checkActivation(settings.text("pooler_hidden_act", "gelu"), settings.where);
  if (isLinear) return { isLinear, buckets: most, most, poolerActivation };
  const norm = settings.text("norm_rel_ebd", "none");
  if (norm !== "layer_norm") throw settings.wrong("norm_rel_ebd", "layer_norm", norm);
  return { buckets: settings.count("position_buckets", undefined, 2, 2 * most - 3), most, poolerActivation };
}

/** The row of a distance, query minus key. */
function rowOf(distance: number, { isLinear, buckets, most }: Disentangled): number {
  const clamped = (row: number) => Math.min(Math.max(row, 0), 2 * buckets - 1);
  if (isLinear) return clamped(buckets + distance);
  const middle = Math.floor(buckets / 2);
  const far = Math.abs(distance);
  // In f32, as those who trained with it: the edges of buckets depend on it.
  const log = (x: number) => Math.fround(portableLog(Math.fround(x / middle)));
  const share = Math.fround(log(far) / log(most - 1));
  const bucket = far <= middle ? far : Math.ceil(Math.fround(share * (middle - 1))) + middle;
  return clamped(buckets + Math.sign(distance) * bucket);
}

/** Embeddings of 2 · tokens + 1 distances: `distances.k` rising from −tokens, `distances.q` falling. */
export function distances(
  writer: LanguageGraphWriter,
  { hidden, positions, norm, disentangled }: EncoderSettings,
  prefix: string,
): void {
  const tensor = `${prefix}encoder.rel_embeddings.weight`;
  const length = 2 * positions + 1;
  for (const part of ["q", "k"]) {
    const sign = part === "q" ? -1 : 1;
    const rows: Rows = Array.from({ length }, (_, i) => {
      const row = rowOf(sign * (i - positions), disentangled!);
      return [row, row + 1] as const;
    });
    const from = [2 * disentangled!.buckets, hidden];
    const all = writer.weights.add(`${tensor}.${part}`, {
      tensors: [tensor],
      from,
      shape: [length, hidden],
      rows,
    });
    const first = subtractDims(positions, "tokens");
    const to = `distances.${part}`;
    const end = addDims(positions + 1, "tokens");
    const near = writer.slice(all, 0, first, end, disentangled!.isLinear ? to : `${to}.rows`);
    if (!disentangled!.isLinear) writer.norm(near, `${prefix}encoder.LayerNorm`, hidden, norm, to);
  }
}

/** Factor of scores. */
export const disentangledScale = (headDim: number): number => 1 / Math.sqrt(headDim * PRODUCTS);

/** What is added to scores, [batch, heads, tokens, tokens]: q and k with distances through the layers of the other. */
export function disentangledBias(
  writer: LanguageGraphWriter,
  { hidden, heads, headDim, disentangled }: EncoderSettings,
  q: string,
  k: string,
  prefix: string,
): string {
  const shape = [heads * headDim, hidden] as const;
  const { isLinear } = disentangled!;
  /** Distances for queries through a layer of keys, which has no bias where it is for distances alone, and the other way round. */
  const project = (part: "q" | "k", to: string): string => {
    const from = `distances.${part}`;
    const other = encoderParts[part === "q" ? "k" : "q"];
    if (!isLinear) return writer.linear(from, needPart(writer.weights, prefix, other), shape, to);
    if (part === "k") return writer.linear(from, `${prefix}attention.self.pos_q_proj`, shape, to);
    const [n, k] = shape;
    return writer.linearPart(from, `${prefix}attention.self.pos_proj`, "all", { n, k, rows: [[0, n]] }, to);
  };
  const twice = multiplyDims("tokens", 2);
  const length = addDims(twice, 1);
  /** Products with distances; row i is shifted by i, so that distances from token 0 to the last stand in it. */
  const scores = (value: string, part: "q" | "k"): string => {
    const to = `${value}.distances`;
    const apart = writer.reshape(project(part, to), [length, heads, headDim], `${to}.heads`);
    const turned = writer.node("Transpose", [apart], `${to}.turned`, { perm: [1, 2, 0] });
    const each = writer.reshape(value, ["batch", "tokens", heads, headDim], `${value}.heads`);
    const rows = writer.node("Transpose", [each], `${value}.rows`, { perm: [0, 2, 1, 3] });
    const all = writer.node("MatMul", [rows, turned], `${to}.all`);
    const flat = writer.reshape(all, ["batch", heads, multiplyDims(length, "tokens")], `${to}.flat`);
    const cut = writer.slice(flat, 2, 0, multiplyDims(twice, "tokens"), `${to}.cut`);
    const shifted = writer.reshape(cut, ["batch", heads, "tokens", twice], `${to}.shifted`);
    return writer.slice(shifted, 3, "tokens", twice, `${to}.scores`);
  };
  const own = scores(q, "q");
  const other = writer.node("Transpose", [scores(k, "k")], `${k}.scores`, { perm: [0, 1, 3, 2] });
  return writer.scaled(writer.add(own, other, `${q}.scores`), disentangledScale(headDim), `${q}.scaled`);
}
