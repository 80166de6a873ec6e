// SmoothQuant (Xiao et al. 2022, arxiv.org/abs/2211.10438) for norms: what makes a channel of a norm's output large is moved from the
// norm's scale, and its bias, to the columns of all layers that read it. What the layers compute stays the same.

import { consumersOf, type Graph, type Node } from "../../graph/graph";
import type { Constant, Tensor } from "../../graph/tensor";
import type { ToolkitOps } from "../../ops/infer";
import { isLayerOf } from "./recipe";

/** A norm that only layers read. */
export interface Fold {
  /** The norm's output. */
  readonly value: string;
  readonly columns: number;
  /** Constants of the norm that are divided: its scale and its optional bias. */
  readonly vectors: readonly string[];
  /** Weights whose columns are multiplied. */
  readonly weights: readonly string[];
}

/** Every norm that can be folded: all that read it are layers, and nothing else has its constants or their weights. */
export function foldsOf(graph: Graph<Constant>, ops: ToolkitOps): Fold[] {
  const consumers = consumersOf(graph);
  const isOwn = (constant: string) => consumers.get(constant)!.length === 1;
  return graph.nodes.flatMap((node): Fold[] => {
    const [value] = node.outputs as [string];
    const [, ...vectors] = node.inputs.filter((name) => name !== "");
    const readers = consumers.get(value) ?? [];
    const isFoldable =
      ops[node.op]?.normalizesRows &&
      readers.length > 0 &&
      !graph.outputs.includes(value) &&
      vectors.every((name) => graph.constants.get(name)?.shape.length === 1 && isOwn(name)) &&
      readers.every((reader) => isLayerOf(reader, graph.constants, ops) && isOwn(weightOf(reader)));
    if (!isFoldable) return [];
    const columns = graph.constants.get(vectors[0]!)!.shape[0]!;
    return [{ value, columns, vectors, weights: readers.map(weightOf) }];
  });
}

const weightOf = ({ inputs }: Node) => inputs[1]!;

/** Finds the largest |x| of each column of rows. */
export function largestOf(columns: number): {
  readonly largest: Float32Array;
  add(rows: Float32Array): void;
} {
  const largest = new Float32Array(columns);
  return {
    largest,
    add(rows) {
      for (let at = 0; at < rows.length; at += columns)
        for (let c = 0; c < columns; c++) {
          const size = Math.abs(rows[at + c]!);
          if (size > largest[c]!) largest[c] = size;
        }
    },
  };
}

/** x^(sixteenths / 16): square roots and products alone, which are the same on every engine. x ≥ 0. */
export function power(x: number, sixteenths: number): number {
  if (sixteenths === 16) return x;
  let [result, root] = [1, x];
  for (let bit = 8; bit > 0; bit >>= 1) {
    root = Math.sqrt(root);
    if (sixteenths & bit) result *= root;
  }
  return result;
}

/**
 * What each column is divided by in the norm: max|x|^α / max|w|^(1 − α), α in sixteenths; 1 where either is 0. `most` has max|x|, `reading`
 * max|w|.
 */
export function columnFactorsOf(most: Float32Array, sixteenths: number, reading: Float32Array): Float32Array {
  return most.map((x, c) => {
    const w = reading[c]!;
    const factor = power(x, sixteenths) / power(w, 16 - sixteenths);
    return x > 0 && w > 0 && Number.isFinite(factor) ? factor : 1;
  });
}

/** Constants with a fold applied. Changed constants are copies; the others are the same objects. */
export function folded(
  { columns, vectors, weights }: Fold,
  factors: Float32Array,
  constants: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const changed = new Map(constants);
  const change = (name: string, of: (x: number, factor: number) => number) => {
    const constant = constants.get(name);
    if (!constant) return;
    const { shape, data } = constant;
    const made = new Float32Array(data.length);
    for (let at = 0; at < made.length; at += columns)
      for (let c = 0; c < columns; c++) made[at + c] = of(data[at + c]!, factors[c]!);
    changed.set(name, { dtype: "f32", shape, data: made });
  };
  for (const name of vectors) change(name, (x, factor) => x / factor);
  for (const name of weights) change(name, (w, factor) => w * factor);
  return changed;
}
