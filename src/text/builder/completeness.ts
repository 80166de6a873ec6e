// Whether the tensors that were found are all there are: parts are found by which are there, so that one that is missing must not pass
// for a switch. Layers of a kind have the same parts; a part of one layer alone, or of all but one, is an error that names it.

import { FormatError } from "../../errors";
import type { Weights } from "./weights";

/** Parts that layers of one kind alone have. */
const OF_KINDS = new Set(["self_attn", "conv"]);
/** Norms that the first layer of ModernBERT does without. */
const NOT_FIRST = new Set(["attn_norm"]);

/** Throws FormatError that names a tensor which one layer lacks and others have. */
export function checkLayers(weights: Weights): void {
  /** By what stands before a layer's number: names of its parts, by number. */
  const models = new Map<string, Map<number, Set<string>>>();
  for (const name of weights.usedNames) {
    const [, prefix, number, part] = /^((?:.*\.)?(?:layers?|h|blocks)\.)(\d+)\.(.+)$/.exec(name) ?? [];
    if (prefix === undefined) continue;
    const layers = models.get(prefix) ?? new Map<number, Set<string>>();
    models.set(prefix, layers);
    layers.set(Number(number), (layers.get(Number(number)) ?? new Set()).add(part!));
  }
  for (const [prefix, layers] of models) {
    const parts = new Set([...layers.values()].flatMap((own) => [...own]));
    for (const [number, own] of layers) {
      const kinds = new Set([...own].map(kindOf));
      for (const part of parts) {
        const kind = kindOf(part);
        const isOther = (OF_KINDS.has(kind) && !kinds.has(kind)) || (NOT_FIRST.has(kind) && number === 0);
        if (own.has(part) || isOther) continue;
        throw new FormatError(`the tensor "${prefix}${number}.${part}" is missing`, {
          where: weights.source.where,
          hint: "Other layers have it",
        });
      }
    }
  }
}

const kindOf = (part: string): string => part.slice(0, part.indexOf("."));
