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

/** Feeds of a case as octette takes them, or undefined where octette has no numbers that wide. */
export function feedsOf(one: Case, { inputs }: Graph): Readonly<Record<string, Tensor>> | undefined {
  const feeds: Record<string, Tensor> = {};
  for (const { name } of inputs) {
    const elements = one.feeds[name];
    const feed = elements && feedOf(elements);
    if (!feed) return undefined;
    feeds[name] = feed;
  }
  return feeds;
}

/** Feeds of a model that octette exported: its whole numbers are int64. */
export const elementsOf = (
  { inputs }: Graph,
  feeds: Readonly<Record<string, Tensor>>,
): Record<string, Elements> =>
  Object.fromEntries(
    inputs.map(({ name }) => {
      const { dtype, shape, data } = feeds[name]!;
      return [name, { type: dtype === "i32" ? "i64" : dtype, shape, values: Array.from(data) }];
    }),
  );

/** What a model gives for feeds, or the error that it ended in. */
export function runOf(
  octette: Octette,
  source: Graph | Uint8Array,
  feeds: Feeds,
  options: LoadOptions,
): Omit<Way, "name"> {
  try {
    const model = octette.loadSync(source as Graph, options);
    try {
      return { outputs: model.runSync(feeds) };
    } finally {
      model.dispose();
    }
  } catch (error) {
    return { error };
  }
}

const hasSymbols = ({ inputs }: Graph) =>
  inputs.some(({ shape }) => shape.some((dim) => typeof dim === "string"));

/** Options to run a batch whole. */
export const wholeOf = (one: Case, graph: Graph): LoadOptions =>
  hasSymbols(graph) ? { maxima: { N: Math.max(1, one.batch) } } : {};

export function* waysOf(octette: Octette, one: Case): Generator<Way> {
  let graph: Graph;
  try {
    graph = octette.importOnnx(one.model);
  } catch (error) {
    yield { name: "import", error };
    return;
  }
  const feeds = feedsOf(one, graph);
  if (!feeds) {
    yield { name: "feeds", error: undefined };
    return;
  }
  const run = (name: string, source: Graph | Uint8Array, options: LoadOptions): Way => ({
    name,
    ...runOf(octette, source, feeds, options),
  });
  const isSymbolic = hasSymbols(graph);
  const whole = wholeOf(one, graph);
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
