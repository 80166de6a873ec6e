// Disentangled attention of DeBERTa v3 (He et al. 2021, arXiv:2006.03654): besides query with key, scores have query with the distance to
// the key, and key with the distance to it. Embeddings of distances go through the layers of keys and of queries.

import { addDims, multiplyDims, subtractDims } from "../../graph/symbols";
import { portableLog } from "../../portable-math";
import type { EncoderSettings } from "./encoder-settings";
import { MAX_TABLE, type Settings } from "./settings";
import type { Rows } from "./weights";
import type { LanguageGraphWriter } from "./writer";

/** What settings say of distances. */
export interface Disentangled {
  /** Buckets of either direction. */
  readonly buckets: number;
  /** Distance at which they end. */
  readonly most: number;
}

/** Products that a score is the sum of. */
const PRODUCTS = 3;

/** Reads the settings. Throws OctetteError "unsupported" for another kind of distances. */
export function disentangledOf(settings: Settings, positions: number): Disentangled {
  const kinds = settings.value("pos_att_type");
  if (!/^(p2c\W+c2p|c2p\W+p2c)$/.test(String(kinds)))
    throw settings.wrong("pos_att_type", "p2c and c2p", kinds);
  if (!settings.flag("relative_attention", false)) throw settings.wrong("relative_attention", "true", false);
  const relative = settings.count("max_relative_positions", -1, -1, MAX_TABLE);
  const most = relative < 1 ? positions : relative;
  return { buckets: settings.count("position_buckets", undefined, 2, 2 * most - 3), most };
}

/** The row of a distance, query minus key. */
function rowOf(distance: number, { buckets, most }: Disentangled): number {
  const middle = Math.floor(buckets / 2);
  const far = Math.abs(distance);
  // In f32, as those who trained with it: the edges of buckets depend on it.
  const log = (x: number) => Math.fround(portableLog(Math.fround(x / middle)));
  const share = Math.fround(log(far) / log(most - 1));
  const bucket = far <= middle ? far : Math.ceil(Math.fround(share * (middle - 1))) + middle;
  return Math.min(Math.max(buckets + Math.sign(distance) * bucket, 0), 2 * buckets - 1);
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
    const near = writer.slice(all, 0, first, addDims(positions + 1, "tokens"), `distances.${part}.rows`);
    writer.norm(near, `${prefix}encoder.LayerNorm`, hidden, norm, `distances.${part}`);
  }
}

/** Factor of scores. */
export const disentangledScale = (headDim: number): number => 1 / Math.sqrt(headDim * PRODUCTS);

/** What is added to scores, [batch, heads, tokens, tokens]: q and k with distances through the `layers` of the other. */
export function disentangledBias(
  writer: LanguageGraphWriter,
  { hidden, heads, headDim }: EncoderSettings,
  q: string,
  k: string,
  layers: { readonly q: string; readonly k: string },
): string {
  const twice = multiplyDims("tokens", 2);
  const length = addDims(twice, 1);
  /** Products with distances; row i is shifted by i, so that distances from token 0 to the last stand in it. */
  const scores = (value: string, part: string, layer: string): string => {
    const to = `${value}.distances`;
    const projected = writer.linear(`distances.${part}`, layer, [heads * headDim, hidden], to);
    const apart = writer.reshape(projected, [length, heads, headDim], `${to}.heads`);
    const turned = writer.node("Transpose", [apart], `${to}.turned`, { perm: [1, 2, 0] });
    const each = writer.reshape(value, ["batch", "tokens", heads, headDim], `${value}.heads`);
    const rows = writer.node("Transpose", [each], `${value}.rows`, { perm: [0, 2, 1, 3] });
    const all = writer.node("MatMul", [rows, turned], `${to}.all`);
    const flat = writer.reshape(all, ["batch", heads, multiplyDims(length, "tokens")], `${to}.flat`);
    const cut = writer.slice(flat, 2, 0, multiplyDims(twice, "tokens"), `${to}.cut`);
    const shifted = writer.reshape(cut, ["batch", heads, "tokens", twice], `${to}.shifted`);
    return writer.slice(shifted, 3, "tokens", twice, `${to}.scores`);
  };
  const own = scores(q, "q", layers.k);
  const other = writer.node("Transpose", [scores(k, "k", layers.q)], `${k}.scores`, { perm: [0, 1, 3, 2] });
  return writer.scaled(writer.add(own, other, `${q}.scores`), disentangledScale(headDim), `${q}.scaled`);
}
