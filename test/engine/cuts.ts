// Whether a batch may be cut, held against what comes out: where ops say that rows do not meet, the whole batch, its parts
// and its rows one by one have the same bytes; where they meet, a batch beyond the maximum is run whole, in memory that grew.

import type { Model, ModelOptions } from "../../src/engine/model";
import { OctetteError } from "../../src/errors";
import type { Graph } from "../../src/graph/graph";
import { printGraph } from "../../src/graph/print";
import { type Shape, symbolsOf } from "../../src/graph/symbols";
import { sizeOf, type Tensor } from "../../src/graph/tensor";

export type CreateModel = (
  graph: Graph,
  options: ModelOptions,
) => Pick<Model, "outputs" | "plan" | "runSync" | "dispose">;
export type Feeds = Readonly<Record<string, Tensor>>;

/** "cut": the same bytes in every way. "whole": never in parts. "refused": no plan, or none for so many rows. */
export type Outcome = "cut" | "whole" | "refused";

/** Symbol that counts rows in graphs of these tests. */
export const BATCH = "batch";
/** Parts that a batch is cut into. */
const PARTS = [1, 2, 3];

/** Runs a graph in every way. Throws where a result is another one. */
export function checkCuts(graph: Graph, feeds: Feeds, rows: number, create: CreateModel): Outcome {
  const using = <T>(maximum: number, use: (model: ReturnType<CreateModel>) => T): T => {
    const model = create(graph, { maxima: { [BATCH]: maximum } });
    try {
      return use(model);
    } finally {
      model.dispose();
    }
  };
  const fail = (what: string) => new Error(`${what}\n${printGraph(graph)}`);
  const whole = typed(() =>
    using(rows, (model) => {
      const outputs = model.runSync(feeds);
      if (model.plan.batch === undefined) return { outputs };
      if (model.plan.batch !== BATCH) throw fail(`cut along ${model.plan.batch}`);
      return {
        outputs,
        types: model.outputs,
        single: Array.from({ length: rows }, (_, i) => model.runSync(rowOf(graph, feeds, i))),
      };
    }),
  );
  if (whole instanceof OctetteError) return "refused";
  const { outputs, types = [], single } = whole;
  for (const { name, shape } of types) {
    const y = outputs[name]!;
    const difference = differenceOf(
      joined(
        single!.map((result) => result[name]!),
        shape,
        y,
      ),
      y,
    );
    if (difference) throw fail(`${name}, row by row: ${difference}`);
  }
  for (const part of PARTS) {
    const isPlanned = typed(() => using(part, () => true));
    // Where rows meet there may be no plan for a few of them.
    if (!single && isPlanned instanceof OctetteError) continue;
    using(part, (model) => {
      const { plan } = model;
      const results = model.runSync(feeds);
      const grew = plan !== model.plan;
      if (grew !== (!single && part < rows))
        throw fail(`planned for ${part}, ${grew ? "grew" : "did not grow"}`);
      for (const [name, y] of Object.entries(outputs)) {
        const difference = differenceOf(results[name]!, y);
        if (difference) throw fail(`${name}, planned for ${part}: ${difference}`);
      }
    });
  }
  return single ? "cut" : "whole";
}

/** A result, or the typed error in its place. */
function typed<T>(make: () => T): T | OctetteError {
  try {
    return make();
  } catch (error) {
    if (error instanceof OctetteError) return error;
    throw error;
  }
}

/** The feeds of one row. */
function rowOf(graph: Graph, feeds: Feeds, row: number): Feeds {
  const own = graph.inputs.map(({ name, shape }) => {
    const { dtype, shape: fed, data } = feeds[name]!;
    if (shape[0] !== BATCH) return [name, feeds[name]!] as const;
    const each = sizeOf(fed.slice(1));
    return [
      name,
      { dtype, shape: [1, ...fed.slice(1)], data: data.slice(row * each, (row + 1) * each) },
    ] as const;
  });
  return Object.fromEntries(own);
}

/** Results of single rows as that of all: one behind the other, or, where rows do not show, what each of them has. */
function joined(rows: readonly Tensor[], shape: Shape, whole: Tensor): Tensor {
  const [first] = rows as [Tensor, ...Tensor[]];
  if (shape[0] !== undefined && symbolsOf(shape[0]).includes(BATCH))
    return {
      ...whole,
      dtype: first.dtype,
      data: rows.flatMap(({ data }) => Array.from<number>(data)) as never,
    };
  return rows.find((row) => differenceOf(row, first) !== undefined) ?? first;
}

/** What differs, the first element of it; any NaN equals any other. */
function differenceOf(actual: Tensor, expected: Tensor): string | undefined {
  const [a, b] = [actual, expected].map(({ dtype, shape }) => `${dtype} [${shape}]`);
  if (a !== b || actual.data.length !== expected.data.length) return `${a} instead of ${b}`;
  for (const [i, value] of expected.data.entries())
    if (!Object.is(actual.data[i], value)) return `[${i}] is ${actual.data[i]} instead of ${value}`;
  return undefined;
}
