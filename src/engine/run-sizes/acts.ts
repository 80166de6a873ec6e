// Runs of plans in which the host acts between steps: values that no kernel computes, sizes that only a run finds, and graphs
// within the graph.

import { OctetteError } from "../../errors";
import type { Graph } from "../../graph/graph";
import { type Bindings, formatShape } from "../../graph/symbols";
import type { Constant, Tensor } from "../../graph/tensor";
import { foundBy, type Host } from "../../ops/act";
import { opOf, type Registry } from "../../ops/infer";
import type { Model } from "../model";
import { isFor, type Pause, type Plan, partOf } from "../plan";
import { flipFor, type Session } from "../session";
import { boundNode } from "./sized-planner";

/** What runs the steps. */
interface Runner {
  session(): Session;
  /** A plan for these sizes. Throws where the graph cannot be of them. */
  planFor(sizes: Bindings): Plan;
  /** Goes on with a plan and writes the feeds. */
  begin(plan: Plan, bindings: Bindings): void;
}

export class Acts {
  readonly #registry: Registry;
  readonly #modelOf: (body: Graph<Constant>) => Model;
  readonly #bodies = new Map<Graph<Constant>, Model>();
  /** Sizes of the last run. */
  #last: Bindings = {};

  constructor(registry: Registry, modelOf: (body: Graph<Constant>) => Model) {
    this.#registry = registry;
    this.#modelOf = modelOf;
  }

  /**
   * Runs all parts of a plan and returns the sizes of this run. They are taken to be those of the last one: where they are others, and the
   * plan is not made for them, the run begins again with a plan that is.
   */
  run(given: Bindings, runner: Runner): Bindings {
    let known = given;
    for (let again = 0; ; again++) {
      const [plan, first] = this.#planFor(known, runner);
      if (again > plan.pauses.length + 1)
        throw new OctetteError("a run finds other sizes each time", { code: "engine" });
      runner.begin(plan, first);
      let bindings: Bindings | undefined = first;
      for (const [i, pause] of plan.pauses.entries()) {
        if (!bindings) break;
        const found = this.#pass(runner.session(), pause, i, bindings);
        known = { ...known, ...found.sizes };
        const next: Bindings = { ...bindings, ...found.sizes };
        bindings = isFor(plan, next) ? next : undefined;
        if (bindings) write(runner.session(), pause, found.outputs, bindings);
      }
      if (!bindings) continue;
      runner.session().run(bindings, partOf(plan.pauses.length));
      this.#last = known;
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
      plan = planFor({ ...guessed, ...known });
    } catch {
      guessed = {};
      plan = planFor(known);
    }
    return [plan, { ...plan.maxima, ...guessed, ...plan.sizes, ...known }];
  }

  /** Runs the steps before a pause, and acts. */
  #pass(session: Session, { inputs, node }: Pause, i: number, bindings: Bindings) {
    session.run(bindings, partOf(i));
    const read = inputs.map((value): Tensor => {
      const { dtype, shape, data } = session.see(value, bindings);
      return { dtype, shape, data: flipFor(dtype, data.slice()) };
    });
    const op = opOf(this.#registry, node.op, node.name);
    const { outputs, found } = op.act!(boundNode(node, this.#registry, bindings), read, this.#host);
    const symbols = foundBy(node, found.length) as readonly string[];
    return {
      outputs: outputs.filter((_, at) => node.outputs[at]),
      sizes: Object.fromEntries(symbols.map((symbol, at) => [symbol, found[at]!])),
    };
  }

  readonly #host: Host = {
    run: (body, inputs) => {
      let model = this.#bodies.get(body);
      if (!model) this.#bodies.set(body, (model = this.#modelOf(body)));
      const outputs = model.runSync(
        Object.fromEntries(model.inputs.map(({ name }, i) => [name, inputs[i]!])),
      );
      return body.outputs.map((name) => outputs[name]!);
    },
  };
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
