// Names of a classifier's classes, in the order of its scores: the last dimension of the first output.

import { OctetteError } from "../errors";
import type { Graph, ValueType } from "../graph/graph";
import { formatShape } from "../graph/symbols";
import type { Constant } from "../graph/tensor";
import { inferTypes, type Registry } from "./infer";

/** The graph with these names of its classes; as it is where none are given. Throws where they do not fit its first output. */
export function nameClasses(graph: Graph, classes: readonly string[] | undefined, registry: Registry): Graph {
  if (classes === undefined) return graph;
  const named = { ...graph, classes: Array.isArray(classes) ? [...classes] : classes };
  checkClassNames(named, registry);
  return named;
}

/** Whether names may be those of a first output: one for each score, or of whole numbers, which are classes themselves. */
const fits = (type: ValueType | undefined, { length }: readonly string[]): boolean =>
  type?.dtype === "i32" || type?.shape.at(-1) === length;

/** Scores that a classifier gives: the last dimension of its first output, where that is a number. */
export function countScores(graph: Graph<Constant>, registry: Registry): number | undefined {
  const [first = ""] = graph.outputs;
  const count = inferTypes(graph, registry).get(first)?.shape.at(-1);
  return typeof count === "number" ? count : undefined;
}

/** The graph with the names of its samples' classes, where it has none and they fit what it gives. */
export function nameBySamples(
  graph: Graph,
  samples: { readonly classes?: readonly string[] },
  registry: Registry,
): Graph {
  const { classes } = samples;
  if (classes === undefined || graph.classes !== undefined) return graph;
  const [first = ""] = graph.outputs;
  return fits(inferTypes(graph, registry).get(first), classes) ? { ...graph, classes } : graph;
}

/** Throws where a graph has names of classes that are not one text for each score of its first output. */
export function checkClassNames(graph: Graph<Constant>, registry: Registry): void {
  const { classes, outputs } = graph;
  if (classes === undefined) return;
  const fail = (what: string, expected: string, got: string) =>
    new OctetteError(what, { code: "argument", where: "classes", expected, got });
  if (!Array.isArray(classes)) throw fail("must be a list of names", "a list of texts", typeof classes);
  const wrong = classes.findIndex((name) => typeof name !== "string" || name === "");
  if (wrong >= 0) throw fail(`invalid name of class ${wrong}`, "a text", JSON.stringify(classes[wrong]));
  const [first = ""] = outputs;
  const type = inferTypes(graph, registry).get(first);
  if (fits(type, classes)) return;
  throw fail(
    `do not fit output "${first}"`,
    `as many names as the last dimension of ${formatShape(type?.shape ?? [])}`,
    `${classes.length}`,
  );
}
