// The graph of one training step: forward over masters, losses, backward, updates.

import type { Graph, Node } from "../graph/graph";
import { sizeOf, type Tensor, tensor } from "../graph/tensor";
import { inferTypes } from "../ops/infer";
import { ACTIVATIONS, type ActivationOptions, startOf } from "./activations";
import { differentiate } from "./differentiate";
import { judged, type Loss } from "./losses";
import { observed } from "./observe";
import { updateOf } from "./ops/update";
import { type Optimizer, statesOf } from "./optimizers";
import { type Parameter, prepare } from "./prepare";
import { trainingRegistry } from "./registry";
import { type Shared, sharedOf } from "./shared";

export interface StepOptions {
  readonly losses: readonly Loss[];
  readonly optimizer: Optimizer;
  /**
   * Gradients are summed until an update is asked for, and may be scaled as a whole: several backward passes an update, or
   * clipping. Without it a parameter is updated as soon as its gradient is complete, and no two gradients are held.
   */
  readonly keepsGradients: boolean;
  /** How scales and zero points of activations move; they stay as they are where it is left out. */
  readonly activations?: ActivationOptions | undefined;
}

export interface Step {
  /** Its outputs are the loss, the values that were judged, and what was seen of activations. */
  readonly graph: Graph;
  /** Constants that the step writes to. */
  readonly state: readonly string[];
  /** Activations whose parameters move, and what a step sees of each: names of outputs. */
  readonly shared: readonly Shared[];
  readonly seen: readonly (readonly string[])[];
}

/** Begins the names of nodes that update: none but such follow the first of them where gradients are kept. */
export const UPDATE = "update:";
export const gradientOf = (parameter: string) => `${parameter}.gradient`;

/** `trained` are moved; `graph` is the deployed one. */
export function stepOf(graph: Graph, trained: readonly Parameter[], options: StepOptions): Step {
  const shared = options.activations ? sharedOf(graph) : [];
  const { graph: observing, ranges: seen } = observed(graph, shared);
  const prepared = prepare(observing, trained);
  const state = [...prepared.state];
  const constants = new Map(prepared.graph.constants);
  const hold = (name: string, start: Tensor) => {
    constants.set(name, start);
    state.push(name);
    return name;
  };
  const keep = (name: string, shape: readonly number[]) =>
    hold(name, tensor("f32", shape, new Float32Array(sizeOf(shape))));
  if (shared.length > 0) hold(ACTIVATIONS, startOf(shared));
  const types = inferTypes(prepared.graph, trainingRegistry);
  const { inputs, nodes, total, value, seeds } = judged(prepared.graph, types, options.losses);
  const byName = new Map(trained.map((p) => [p.name, p] as const));
  const { op, attributes } = updateOf(options.optimizer);
  const updates: Node[] = [];
  const update = (name: string, gradient: string) => {
    const { shape } = byName.get(name)!.start;
    const own = statesOf(options.optimizer).map((what) => keep(`${name}.${what}`, shape));
    return { op, name: `${UPDATE}${name}`, inputs: [name, gradient, ...own], outputs: [], attributes };
  };
  const judging = {
    ...prepared.graph,
    inputs: [...prepared.graph.inputs, ...inputs],
    nodes: [...prepared.graph.nodes, ...nodes],
    outputs: [total, value, ...seen.flat()],
  };
  const differentiated = differentiate(judging, {
    registry: trainingRegistry,
    seeds,
    trained: new Set(byName.keys()),
    complete(name, gradient, add) {
      if (!options.keepsGradients) return add(update(name, gradient));
      const sum = keep(gradientOf(name), byName.get(name)!.start.shape);
      add({
        op: "AccumulateGradient",
        name: `${name}:accumulate`,
        inputs: [sum, gradient],
        outputs: [],
        attributes: {},
      });
      updates.push(update(name, sum));
    },
  });
  const all = new Map([...constants, ...differentiated.constants]);
  return {
    graph: { ...differentiated, constants: all, nodes: [...differentiated.nodes, ...updates] },
    state,
    shared,
    seen,
  };
}
