// Runs of plans in which the host acts between steps: values that no kernel computes, sizes that only a run finds, and graphs
// within the graph.

import { OctetteError } from "../../errors";
import type { Graph, Input, Node, ValueType } from "../../graph/graph";
import { type Bindings, type Dim, evaluateDim, formatShape, symbolsOf } from "../../graph/symbols";
import type { Constant, OutputTensor, Tensor } from "../../graph/tensor";
import type { Acted, Host } from "../../ops/act";
import { boundNode } from "../../ops/bound";
import { opOf, type Registry } from "../../ops/infer";
import type { Bodies, Draft } from "../draft";
import type { Feeds, Into } from "../feeds";
import type { ConstantSink } from "../loader";
import { isFor, type Pause, type Plan, partOf } from "../plan";
import { flipFor, type Session } from "../session";
import { bind, checkKnown, toldBy } from "./found-sizes";
import { KeptConstants, sinkOf } from "./own-constants";

/** What runs the steps. */
interface Runner {
  session(): Session;
  /** A plan for these sizes, of which `run` are not those of another run. Throws where the graph cannot be of them. */
  planFor(sizes: Bindings, run: Bindings): Plan;
  /** Goes on with a plan and writes the feeds. */
  begin(plan: Plan, bindings: Bindings): void;
  /** Runs steps up to a pause, or after the last one. */
  run(bindings: Bindings, entry: string): unknown;
}

/** Iterations of all loops that one run may do where options say nothing else. */
export const MAX_ITERATIONS = 2 ** 18;

/** A model of a graph within a graph. */
interface Inner {
  readonly inputs: readonly Input[];
  readonly outputs: readonly (ValueType & { readonly name: string })[];
  readonly bytes: number;
  readonly loader: ConstantSink;
  runSync(feeds: Feeds, into: Into): Record<string, OutputTensor>;
  dispose(): void;
}

/** What runs graphs within a graph. */
export interface Around {
  /** Bytes of the memory of the graph itself. */
  readonly ownBytes: () => number;
  readonly registry: Registry;
  /** A model of a graph within. */
  readonly modelOf: (body: Graph<Constant>, within: Acts) => Inner;
  /** Graphs within. Models of those that have a draft are made at once. */
  readonly bodies: Bodies | undefined;
  /** Iterations of loops that a run may do. */
  readonly maxIterations?: number | undefined;
  /** Those of the graph around it, which count for it too. */
  readonly within?: Acts | undefined;
}

/** Bytes of the memories of a draft's graphs. */
const bytesOf = ({ plan, bodies }: Draft): number =>
  [...(bodies?.values() ?? [])].reduce((n, body) => n + (body ? bytesOf(body) : 0), plan.memory.totalBytes);

/**
 * Drafts of graphs within a graph; undefined of those whose sizes a run has to find before there can be one. Each is made beside as many
 * bytes as other graphs take, which are `taken` at first.
 */
export function draftsOf(
  bodies: readonly Graph<Constant>[],
  draftOf: (body: Graph<Constant>, taken: number) => Draft,
  taken: number,
): Bodies {
  let all = taken;
  const drafts = new Map<Graph<Constant>, Draft | undefined>();
  for (const body of bodies)
    try {
      const draft = draftOf(body, all);
      drafts.set(body, draft);
      all += bytesOf(draft);
    } catch (error) {
      if (!(error instanceof OctetteError && /^(graph|argument)$/.test(error.code))) throw error;
      drafts.set(body, undefined);
    }
  return drafts;
}

export class Acts {
  readonly #around: Around;
  readonly #bodies = new Map<Graph<Constant>, Inner>();
  /** Constants of graphs that have no model before a run. */
  readonly #kept = new Map<Graph<Constant>, KeptConstants>();
  readonly #host: Host;
  #iterations = 0;
  /** Sizes of the last run. */
  #last: Bindings = {};

  constructor(around: Around) {
    this.#around = around;
    for (const [body, draft] of around.bodies ?? [])
      if (draft) this.#bodies.set(body, around.modelOf(body, this));
      else this.#kept.set(body, new KeptConstants(body));
    this.#host = {
      run: (body, inputs, spare) => run(this.#modelOf(body), body, inputs, spare),
      typesOf: (body, inputs) => typesOf(this.#modelOf(body), inputs),
      iterate: (node) => this.#iterate(node),
    };
  }

  /** Bytes of the memories of graphs within the graph. */
  get bytes(): number {
    return [...this.#bodies.values()].reduce((n, { bytes }) => n + bytes, 0);
  }

  /** Bytes of the memories of all graphs of the model. */
  get allBytes(): number {
    return this.#around.within?.allBytes ?? this.#around.ownBytes() + this.bytes;
  }

  /** Takes the constants of the graph and of those within it. */
  loader(session: Session): ConstantSink {
    const loaders = [...this.#bodies.values()].map(({ loader }) => loader);
    const all = [sinkOf(session), ...loaders, ...this.#kept.values()];
    return {
      get missing() {
        return all.flatMap(({ missing }) => missing);
      },
      placeOf(name) {
        const [only, ...others] = all.filter(({ missing }) => missing.includes(name));
        return others.length === 0 ? only?.placeOf(name) : undefined;
      },
      put(name, bytes) {
        for (const loader of all) loader.put(name, bytes);
      },
    };
  }

  /**
   * Runs all parts of a plan and returns the sizes of this run. They are taken to be those of the last one: where they are others, and the
   * plan is not made for them, the run begins again with a plan that is.
   */
  run(given: Bindings, runner: Runner): Bindings {
    this.#iterations = 0;
    /** What nodes made in this run, which they make again where it begins again. */
    const made = new Map<Node, Acted>();
    let known = given;
    for (;;) {
      const [plan, first] = this.#planFor(known, runner);
      const before = Object.keys(known).length;
      runner.begin(plan, first);
      let bindings: Bindings | undefined = first;
      for (const [i, pause] of plan.pauses.entries()) {
        if (!bindings) break;
        checkKnown(plan, known, i);
        const { outputs, found } = this.#pass(runner, pause, i, bindings, made);
        const sizes = bind(pause.node, found, bindings, known);
        known = { ...known, ...sizes };
        const next: Bindings = { ...bindings, ...sizes };
        bindings = isFor(plan, next) ? next : undefined;
        if (bindings) write(runner.session(), pause, outputs, bindings);
      }
      // A plan that is open makes no outputs.
      if (!bindings || plan.open) {
        if (Object.keys(known).length > before) continue;
        throw new OctetteError("a run finds other sizes each time", { code: "engine" });
      }
      checkKnown(plan, known, plan.pauses.length);
      const { sizes, misfit } = runner.session().plan;
      if (misfit) throw misfit;
      runner.run(bindings, partOf(plan.pauses.length));
      const isFree = ([symbol]: [string, number]) => typeof sizes[symbol] !== "string";
      this.#last = Object.fromEntries(Object.entries(known).filter(isFree));
      return bindings;
    }
  }

  /** Frees the models of graphs within the graph. */
  dispose(): void {
    for (const model of this.#bodies.values()) model.dispose();
    this.#bodies.clear();
  }

  /** A plan for what is known, and for what the last run found where that fits. */
  #planFor(known: Bindings, { planFor }: Runner): [Plan, Bindings] {
    let plan: Plan;
    let guessed = this.#last;
    try {
      plan = planFor({ ...guessed, ...known }, known);
    } catch {
      guessed = {};
      plan = planFor(known, known);
    }
    const told = toldBy(plan, known);
    if (Object.keys(told).length > 0) plan = planFor((guessed = { ...guessed, ...told, ...known }), known);
    const { sizes: all, open = [], maxima } = plan;
    const taken: Record<string, number> = { ...maxima, ...guessed };
    for (const [symbol, dim] of Object.entries(all)) if (typeof dim === "number") taken[symbol] = dim;
    Object.assign(taken, known);
    for (const symbol of open) delete taken[symbol];
    // A size that is equal to one which ends the plan is open, too.
    const closed = Object.entries(all).filter(([symbol, dim]) =>
      [symbol, ...symbolsOf(dim)].every((one) => !open.includes(one)),
    );
    // What a run finds may only be told of by sizes that are equal to it.
    for (const symbol of closed.flatMap(([, dim]) => symbolsOf(dim))) taken[symbol] ??= 1;
    const sizes = closed.map(([symbol, dim]) => [symbol, evaluateDim(dim, taken)]);
    return [plan, { ...taken, ...Object.fromEntries(sizes), ...known }];
  }

  /** Runs the steps before a pause, and acts. */
  #pass(runner: Runner, { inputs, node }: Pause, i: number, bindings: Bindings, made: Map<Node, Acted>) {
    const { registry } = this.#around;
    runner.run(bindings, partOf(i));
    const session = runner.session();
    const act = () => {
      const read = inputs.map((value): Tensor => {
        const { dtype, shape, data } = session.see(value, bindings);
        return { dtype, shape, data: flipFor(dtype, data.slice()) };
      });
      return opOf(registry, node.op, node.name).act!(boundNode(node, registry, bindings), read, this.#host);
    };
    const acted = made.get(node) ?? act();
    made.set(node, acted);
    return { outputs: acted.outputs.filter((_, at) => node.outputs[at]), found: acted.found };
  }

  #modelOf(body: Graph<Constant>): Inner {
    let model = this.#bodies.get(body);
    if (model) return model;
    this.#bodies.set(body, (model = this.#around.modelOf(body, this)));
    this.#kept.get(body)?.load(model.loader);
    this.#kept.delete(body);
    return model;
  }

  #iterate(node: Node): void {
    const { within, maxIterations = MAX_ITERATIONS } = this.#around;
    if (within) return within.#iterate(node);
    if (++this.#iterations <= maxIterations) return;
    throw new OctetteError("loops of the run do not end", {
      code: "limit",
      where: `${node.op} "${node.name}"`,
      expected: `at most maxIterations = ${maxIterations} iterations in all`,
      hint: "Where it needs more: load(model, { maxIterations })",
    });
  }
}

/** Runs a graph, and writes results of fixed sizes over those that nobody reads any more. */
function run(
  model: Inner,
  { outputs }: Graph<Constant>,
  inputs: readonly Tensor[],
  spare: readonly Tensor[] = [],
): readonly Tensor[] {
  const feeds = Object.fromEntries(model.inputs.map(({ name }, i) => [name, inputs[i]!]));
  const isFixed = (i: number) => model.outputs[i]!.shape.every((dim) => typeof dim === "number");
  const into = spare.flatMap(({ data }, i) => (isFixed(i) ? [[outputs[i]!, data] as const] : []));
  const results = model.runSync(feeds, Object.fromEntries(into));
  return outputs.map((name) => results[name]!);
}

function typesOf(model: Inner, inputs: readonly Tensor[]): readonly Omit<Tensor, "data">[] {
  const bindings = new Map(
    model.inputs.flatMap(({ shape }, i) => shape.map((dim, axis) => [dim, inputs[i]!.shape[axis]!] as const)),
  );
  const sizes = Object.fromEntries(bindings);
  const sizeOf = (dim: Dim) =>
    symbolsOf(dim).every((symbol) => bindings.has(symbol)) ? evaluateDim(dim, sizes) : 0;
  return model.outputs.map(({ dtype, shape }) => ({ dtype, shape: shape.map(sizeOf) }));
}

/** Writes what was made in a pause to where the next steps read it. */
function write(
  session: Session,
  { node, outputs }: Pause,
  made: readonly Tensor[],
  bindings: Bindings,
): void {
  for (const [i, value] of outputs.entries()) {
    const { dtype, shape, data } = session.see(value, bindings);
    const output = made[i]!;
    if (output.dtype !== dtype || formatShape(output.shape) !== formatShape(shape))
      throw new OctetteError("an output is not of the type that was inferred", {
        code: "graph",
        where: `${node.op} "${node.name}"`,
        expected: `${dtype} ${formatShape(shape)}`,
        got: `${output.dtype} ${formatShape(output.shape)}`,
      });
    data.set(output.data);
    flipFor(dtype, data);
  }
}
