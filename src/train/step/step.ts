// The graph of one training step: forward over master weights, losses, backward, updates.

import { batchOf } from "../../engine/batch";
import type { NamedNodes } from "../../engine/plan";
import type { Graph, Node } from "../../graph/graph";
import { sizeOf, type Tensor } from "../../graph/tensor";
import { inferTypes } from "../../ops/infer";
import { updateOf } from "../ops/update";
import { type Training, training } from "../training";
import { ACTIVATION_GRADIENTS, ACTIVATIONS, type ActivationOptions, startOf } from "./activations";
import { differentiate } from "./differentiate";
import { dropping } from "./dropout";
import { judged, type Losses } from "./losses";
import { inRounds, type Passes, type Rounds } from "./micro-batches";
import { observed } from "./observe";
import { type Optimizer, statesOf } from "./optimizers";
import { type Parameter, prepare, SCALE_ROOM } from "./prepare";
import { type Shared, sharedOf } from "./quantization-groups";

export interface StepOptions {
  /** Most samples of a step. */
  readonly batch: number;
  readonly losses: Losses;
  readonly optimizer: Optimizer;
  /**
   * Gradients are summed until an update is asked for, and may be scaled as a whole: several backward passes an update, or
   * clipping. Without it a parameter is updated as soon as its gradient is complete, and no two gradients are held.
   */
  readonly keepsGradients: boolean;
  /** The backward pass runs in micro-batches, where rows of the batch do not meet; a trainer decides it where it is left out. */
  readonly inRounds?: boolean | undefined;
  /** What steps are made of; octette's own where it is left out. */
  readonly training?: Training | undefined;
  /** How scales and zero points of activations move; they stay as they are where it is left out. */
  readonly activations?: ActivationOptions | undefined;
}

export interface TrainingStep {
  /** What of it runs in micro-batches. */
  readonly rounds?: Rounds | undefined;
  /** Its outputs are the loss, the values that were judged, and what was seen of activations. */
  readonly graph: Graph;
  /** `forward`, `backward`, `round`, `finish` and `update`, some without nodes. */
  readonly entries: readonly NamedNodes[];
  /** Constants that the step writes to. */
  readonly state: readonly string[];
  /** Activations whose parameters move, and what a step sees of each: names of outputs. */
  readonly shared: readonly Shared[];
  readonly seen: readonly (readonly string[])[];
}

/** The symbol that counts the samples of a batch, where rows do not meet: only then can it be cut into micro-batches. */
export const batchSymbol = (graph: Graph, { ops }: Training = training): string | undefined =>
  batchOf(graph, inferTypes(graph, ops), ops);

const ACCUMULATES: ReadonlySet<string> = new Set(["AccumulateGradient"]);

export const gradientOf = (parameter: string) => `${parameter}.gradient`;

/** `trained` are moved; `graph` is the deployed one; `shared` is known where that was moved before. */
export function stepOf(
  graph: Graph,
  trained: readonly Parameter[],
  options: StepOptions,
  shared: readonly Shared[] = options.activations ? sharedOf(graph, options.training?.models) : [],
): TrainingStep {
  const { activations, training: made = training } = options;
  const { ops, models } = made;
  const deployed = dropping(graph, models);
  const isObserving = activations?.kind === "moving" && !activations.isSettled;
  const observing = isObserving ? observed(deployed, shared) : { graph: deployed, ranges: [] };
  const prepared = prepare(observing.graph, trained);
  const state = [...prepared.state];
  const constants = new Map(prepared.graph.constants);
  const hold = (name: string, start: Tensor) => {
    constants.set(name, start);
    state.push(name);
    return name;
  };
  /** Zeros of all states: what a step begins with is read only. */
  let zeros = new Float32Array(0);
  const keep = (name: string, shape: readonly number[]) => {
    const size = sizeOf(shape);
    if (zeros.length < size) zeros = new Float32Array(size);
    return hold(name, { dtype: "f32", shape, data: zeros.subarray(0, size) });
  };
  if (shared.length > 0) hold(ACTIVATIONS, startOf(activations!.kind, shared));
  const isLearned = activations?.kind === "learned" && shared.length > 0;
  if (isLearned && options.keepsGradients) keep(ACTIVATION_GRADIENTS, [shared.length]);
  const slopes = new Map<string, string>();
  const types = inferTypes(prepared.graph, ops);
  const { inputs, nodes, outputs, seeds } = judged(prepared.graph, types, options.losses, models);
  const byName = new Map(trained.map((p) => [p.name, p] as const));
  const { op, attributes } = updateOf(options.optimizer);
  const updates: Node[] = [];
  /** A step of codes does not decay, and is kept within bounds. */
  const update = (name: string, gradient: string): Node[] => {
    const { kind, start } = byName.get(name)!;
    const own = statesOf(options.optimizer).map((what) => keep(`${name}.${what}`, start.shape));
    const node = { op, name: `${name}:update`, inputs: [name, gradient, ...own], outputs: [], attributes };
    if (kind !== "step") return [node];
    const bounds = { lo: Math.min(...start.data) / SCALE_ROOM, hi: Math.max(...start.data) * SCALE_ROOM };
    return [
      { ...node, attributes: { ...attributes, weight_decay: 0 } },
      { op: "KeepWithin", name: `${name}:bounds`, inputs: [name], outputs: [], attributes: bounds },
    ];
  };
  const judging = {
    ...prepared.graph,
    inputs: [...prepared.graph.inputs, ...inputs],
    nodes: [...prepared.graph.nodes, ...nodes],
    outputs: [...outputs, ...observing.ranges.flat()],
  };
  const differentiated = differentiate(judging, {
    registry: ops,
    gradients: made.gradients,
    seeds,
    trained: new Set(byName.keys()),
    learned: new Set(isLearned ? shared.flatMap(({ made }) => made) : []),
    slope: (codes, gradient) => slopes.set(codes, gradient),
    complete(name, gradient, add) {
      if (!options.keepsGradients) return update(name, gradient).forEach(add);
      const sum = keep(gradientOf(name), byName.get(name)!.start.shape);
      add({
        op: "AccumulateGradient",
        name: `${name}:accumulate`,
        inputs: [sum, gradient],
        outputs: [],
        attributes: {},
      });
      updates.push(...update(name, sum));
    },
  });
  const seen = isLearned
    ? shared.map(({ made }) => made.flatMap((codes) => slopes.get(codes) ?? []))
    : observing.ranges;
  const whole = {
    ...differentiated,
    constants: new Map([...constants, ...differentiated.constants]),
    outputs: [...outputs, ...seen.flat()],
  };
  const symbol = options.inRounds ? batchSymbol(graph, made) : undefined;
  const forward = judging.nodes.length;
  const rounds = { registry: ops, forward, adds: ACCUMULATES };
  const split = symbol === undefined ? undefined : inRounds(whole, { ...rounds, symbol });
  const once = { before: whole.nodes.slice(forward), inside: [], after: [] };
  const passes: Passes = split ?? once;
  const entries = [
    { name: "forward", nodes: whole.nodes.slice(0, forward) },
    { name: "backward", nodes: passes.before },
    { name: "round", nodes: passes.inside, repeats: true },
    { name: "finish", nodes: passes.after },
    { name: "update", nodes: updates },
  ];
  const all = entries.flatMap((entry) => entry.nodes);
  return { graph: { ...whole, nodes: all }, entries, rounds: passes.rounds, state, shared, seen };
}
