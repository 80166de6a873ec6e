// Octette on one case, in every way it may be told to run it: whole, cut into rows, saved and loaded again.

import type { Feeds, Graph, LoadOptions, Tensor } from "../../src/index";
import type { Case } from "./builder";
import { arrayOf, type Elements, type ElementType } from "./elements";

export type Octette = typeof import("../../src/index");

/** What octette's own types are called for each of ONNX's. */
const dtypes: Readonly<Record<ElementType, Tensor["dtype"]>> = {
  f32: "f32",
  f16: "f32",
  f64: "f32",
  bf16: "f32",
  u8: "u8",
  u4: "u8",
  i8: "i8",
  i4: "i8",
  bool: "bool",
  i32: "i32",
  i64: "i32",
  u16: "i32",
  i16: "i32",
  u32: "i32",
  u64: "i32",
};

export const dtypeOf = (type: ElementType) => dtypes[type];

/** A feed as octette takes it, or undefined where octette has no numbers that wide. */
function feedOf(elements: Elements): Tensor | undefined {
  const dtype = dtypes[elements.type];
  const values = elements.values.map(Number);
  if (dtype === "i32" && values.some((v) => v < -2147483648 || v > 2147483647)) return undefined;
  const data = arrayOf({ type: dtype, shape: elements.shape, values }) as Tensor["data"];
  return { dtype, shape: elements.shape, data };
}

export interface Way {
  readonly name: string;
  readonly outputs?: Readonly<Record<string, Tensor>>;
  /** The error it ended in. */
  readonly error?: unknown;
}

/** Whether an error is octette's own, and no failure of a kernel. */
export const isTyped = (octette: Octette, error: unknown): boolean =>
  error instanceof octette.OctetteError && !/kernel ".*" failed/.test(error.message);

export function* waysOf(octette: Octette, one: Case): Generator<Way> {
  let graph: Graph;
  try {
    graph = octette.importOnnx(one.model);
  } catch (error) {
    yield { name: "import", error };
    return;
  }
  const feeds: Record<string, Tensor> = {};
  for (const { name } of graph.inputs) {
    const elements = one.feeds[name];
    const feed = elements && feedOf(elements);
    if (!feed) {
      yield { name: "feeds", error: undefined };
      return;
    }
    feeds[name] = feed;
  }
  const run = (name: string, source: Graph | Uint8Array, options: LoadOptions): Way => {
    try {
      const model = octette.loadSync(source as Graph, options);
      try {
        return { name, outputs: model.runSync(feeds as Feeds) };
      } finally {
        model.dispose();
      }
    } catch (error) {
      return { name, error };
    }
  };
  const isSymbolic = graph.inputs.some(({ shape }) => shape.some((dim) => typeof dim === "string"));
  const whole = isSymbolic ? { maxima: { N: Math.max(1, one.batch) } } : {};
  yield run("whole", graph, whole);
  if (isSymbolic) {
    yield run("cut by default maxima", graph, {});
    if (one.batch > 2) yield run("cut in two", graph, { maxima: { N: one.batch - 1 } });
    yield run("within larger maxima", graph, { maxima: { N: one.batch + 3 } });
  }
  if (one.index % 8 === 0) {
    let bytes: Uint8Array | undefined;
    try {
      bytes = octette.save(graph);
    } catch (error) {
      yield { name: "saved", error };
    }
    if (bytes) yield run("saved", bytes, whole);
  }
}
