// --classes: names of a model's classes, from a file or the command line.

import { readFile } from "node:fs/promises";
import { type Dataset, type Graph, OctetteError, withClasses } from "../index";
import { countScores, nameBySamples } from "../ops/classes";
import { toolkitOps } from "../ops/toolkit";
import type { Context } from "./command";

/** The graph with the names that a file has, one a line, or that are joined by commas; as it is where none are given. */
export async function withNames(graph: Graph, names: string | undefined): Promise<Graph> {
  return names === undefined ? graph : withClasses(graph, await namesIn(names));
}

async function namesIn(names: string): Promise<string[]> {
  const text = await readFile(names, "utf8").catch(() => undefined);
  if (text === undefined && !names.includes(","))
    throw new OctetteError("there is no such file", {
      code: "argument",
      where: `--classes ${names}`,
      expected: "a file with a name on each line, or names joined by commas",
    });
  return (text?.trimEnd().split("\n") ?? names.split(",")).map((name) => name.trim());
}

/** What tables call a class: its name, or its number. Scores that are all NaN choose −1. */
export const labelName = (label: number, classes: readonly string[] | undefined): string =>
  classes?.[label] ?? (label < 0 ? "NaN" : `${label}`);

/** The graph with the names of the classes of samples, where it has none; says so where they do not fit. */
export function namedBySamples(graph: Graph, data: Dataset | undefined, { log }: Context): Graph {
  if (!data?.classes || graph.classes) return graph;
  const named = nameBySamples(graph, data, toolkitOps);
  if (named.classes) return named;
  const scores = countScores(graph, toolkitOps);
  const given = scores === undefined ? "no score for each" : `${scores} scores`;
  log(`The data have ${data.classes.length} classes, the model gives ${given}: names are not kept.`);
  return graph;
}
