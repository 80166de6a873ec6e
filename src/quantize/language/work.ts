// What all steps of quantizing a language model share: its blocks as floats and as codes, and how to run them.

import type { LanguageGraph } from "../../text/source";
import { type Block, blocksOf } from "./blocks";
import { type Fold, foldsOf } from "./folds";
import type { ForwardOptions } from "./forward";
import { type CodedGraph, codedGraph, type RecipeOptions } from "./recipe";
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
  readonly workspace: Workspace;
}

/** The same work in another recipe. */
export function inRecipe(
  work: Omit<Work, "recipe" | "coded" | "folds" | "blocks" | "codedBlocks">,
  recipe: RecipeOptions,
): Work {
  const { graph } = work.source;
  const { ops } = work.toolkit;
  const coded = codedGraph(graph, recipe, ops);
  return {
    ...work,
    ...{ recipe, coded },
    folds: recipe.naive ? [] : foldsOf(graph, ops),
    blocks: blocksOf(graph, ops),
    codedBlocks: blocksOf(coded.graph, ops),
  };
}
