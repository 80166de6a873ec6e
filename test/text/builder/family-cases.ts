// Small models of all families: settings, the shapes of tensors, and what they compute, in families.json: by transformers 5.17 and 5.18; of
// apertus, bloom, deberta-v2, esm, granitemoehybrid, hyperclovax, megatron-bert, ministral3, mpt, nanochat, rembert,
// roberta-prelayernorm, roformer, xlm-roberta-xl, heads of eurobert, an untied biogpt and falcon with ALiBi by a reference in f64 after its
// source. The elements are a formula of a tensor's name, which whoever made that file evaluated too.

import type { LanguageSource } from "../../../src/formats/language-source";
import { sizeOf, type Tensor } from "../../../src/graph/tensor";
import cases from "./families.json";

export interface FamilyCase {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  /** Logits of the first and the last of 13 tokens; of encoders, rows of two texts of 11 and 7 tokens. */
  readonly want: readonly number[];
  /** Tokens that a text will have, where the family computes longer ones otherwise. */
  readonly length?: number;
  /** Of encoders: whose rows they are; "mean state": of a decoder that makes embeddings, the mean of the states of 13 tokens. */
  readonly output?: string;
}

/** FNV-1a of a name. */
function hashOf(name: string): number {
  let hash = 2166136261;
  for (const letter of new TextEncoder().encode(name)) hash = Math.imul(hash ^ letter, 16777619);
  return hash;
}

/** Weights within ±0.4, biases within ±0.2, scales of norms around 1. */
export function elementsOf(name: string, shape: readonly number[]): Tensor {
  const hash = hashOf(name);
  const [factor, base] = shape.length > 1 ? [0.8, 0] : [0.4, name.endsWith("bias") ? 0 : 1];
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    let x = Math.imul(i + hash, 0x9e3779b1);
    x = Math.imul(x ^ (x >>> 15), 0x85ebca77);
    return base + (((x ^ (x >>> 13)) >>> 0) / 2 ** 32 - 0.5) * factor;
  });
  return { dtype: "f32", shape, data };
}

/** A case as a source in memory. */
export const familySource = ({ config, tensors }: FamilyCase): LanguageSource => ({
  where: "made",
  config,
  tensors: new Map(Object.entries(tensors).map(([name, shape]) => [name, { dtype: "F32", shape }])),
  read: async (name) => elementsOf(name, tensors[name]!),
  text: {},
  close: async () => {},
});

export const familyCases = cases as unknown as readonly FamilyCase[];

/** The model of a case by its name. */
export const familyNamed = (name: string): LanguageSource =>
  familySource(familyCases.find((one) => one.name === name)!);
