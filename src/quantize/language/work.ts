// What all steps of quantizing a language model share: its blocks as floats and as codes, and how to run them.

import type { LanguageGraph } from "../../formats/language-source";
import { inferTypes } from "../../ops/infer";
import { type Block, blocksOf } from "./blocks";
import { type Fold, foldsOf } from "./folds";
import type { ForwardOptions } from "./forward";
import { type CodedGraph, codedGraph, type RecipeOptions } from "./recipe";
import { type TokenMatrices, vocabularyOf } from "./vocabulary";
import type { Workspace } from "./workspace";

export interface Work extends ForwardOptions {
  readonly source: LanguageGraph;
  readonly recipe: RecipeOptions;
  readonly coded: CodedGraph;
  readonly folds: readonly Fold[];
  /** Blocks of floats. */
  readonly blocks: readonly Block[];
  /** The same blocks of codes. */
  readonly codedBlocks: readonly Block[];
  /** Table and head, which are read in bands. */
  readonly vocabulary: TokenMatrices;
  readonly workspace: Workspace;
}

/** What all work on a source has, whatever the recipe. */
export type CommonWork = Omit<Work, "recipe" | "coded" | "folds" | "blocks" | "codedBlocks" | "vocabulary">;

/** The same work in another recipe. `bandBytes`: of table and head that are in memory at once. */
export function inRecipe(work: CommonWork, recipe: RecipeOptions, bandBytes?: number): Work {
  const { graph } = work.source;
  const { ops } = work.toolkit;
  const coded = codedGraph(graph, recipe, ops);
  const blocks = blocksOf(graph, ops);
  const logits = inferTypes(graph, ops).get(graph.outputs[0]!)!;
  return {
    ...work,
    ...{ recipe, coded, blocks },
    folds: recipe.naive ? [] : foldsOf(graph, ops),
    // One scale of all rows needs all of them.
    vocabulary: vocabularyOf(blocks, Number(logits.shape.at(-1)), ops, recipe.naive ? Infinity : bandBytes),
    codedBlocks: blocksOf(coded.graph, ops),
  };
}
