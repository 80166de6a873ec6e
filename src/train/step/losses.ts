// What training makes small: losses on a model's first output, alone or summed with weights.

import { OctetteError } from "../../errors";
import type { Graph, Input, Node, ValueType } from "../../graph/graph";
import { plus } from "../../ops/compose";
import type { ToolkitOps } from "../../ops/infer";
import { checkOptions, type Names } from "../../options";
import { toolkit } from "../../toolkit/toolkit";

/**
 * Means over the rows of a batch. `crossEntropy` judges logits by labels, `divergence` by a teacher's logits (softened by
 * a temperature T, times T²), `meanSquare` numbers by target numbers. Each is multiplied with its weight, 1 by default.
 */
export type LossTerm = {
  /** What the loss is multiplied with in the sum of all; default 1. */
  readonly weight?: number;
} & (
  | {
      readonly kind: "crossEntropy";
      /** Part of a label's probability that all classes share, 0 to below 1; default 0. */
      readonly smoothing?: number;
    }
  | {
      readonly kind: "divergence";
      /** What both logits are divided by before they are compared, above 0; default 1. */
      readonly temperature?: number;
    }
  | { readonly kind: "meanSquare" }
);

/** `given`: a caller judges the output of the forward pass, and feeds its gradient to the backward pass. */
export type Losses = readonly LossTerm[] | "given";

/** Inputs that a step has beside those of the model. */
export const GRADIENT = "@gradient";
export const LABELS = "@labels";
export const TEACHER = "@teacher";
export const TARGET = "@target";

/** Losses written as nodes. */
export interface Judged {
  readonly inputs: readonly Input[];
  readonly nodes: readonly Node[];
  /**
   * The sum of all losses and the value that is judged: the model's first output or, where that is its softmax, the logits behind
   * it. Where losses are given, the first output alone.
   */
  readonly outputs: readonly string[];
  /** For each loss, the gradient of the value that it judges. */
  readonly seeds: readonly (readonly [value: string, gradient: string])[];
}

type Kind<K extends LossTerm["kind"]> = Extract<LossTerm, { kind: K }>;
const PLAIN = { kind: 1, weight: 1 } satisfies Names<Kind<"meanSquare">>;
const ops = {
  crossEntropy: {
    op: "CrossEntropy",
    target: LABELS,
    names: { ...PLAIN, smoothing: 1 } satisfies Names<Kind<"crossEntropy">>,
  },
  divergence: {
    op: "Divergence",
    target: TEACHER,
    names: { ...PLAIN, temperature: 1 } satisfies Names<Kind<"divergence">>,
  },
  meanSquare: { op: "MeanSquare", target: TARGET, names: PLAIN },
} as const;

const OUTPUT = "@output";

function given(graph: Graph, types: ReadonlyMap<string, ValueType>): Judged {
  const [value] = graph.outputs as [string];
  return {
    inputs: [{ name: GRADIENT, ...types.get(value)! }],
    nodes: [{ op: "Output", name: OUTPUT, inputs: [value], outputs: [OUTPUT], attributes: {} }],
    outputs: [OUTPUT],
    seeds: [[value, GRADIENT]],
  };
}

/** What a graph's losses are computed by. Throws where its output cannot be judged so. */
export function judged(
  graph: Graph,
  types: ReadonlyMap<string, ValueType>,
  losses: Losses,
  models: ToolkitOps = toolkit.ops,
): Judged {
  if (losses === "given") return given(graph, types);
  const value = logitsOf(graph, models);
  const { shape } = types.get(value)!;
  if (losses.length === 0) throw new OctetteError("no loss is given", { code: "argument", where: "losses" });
  const inputs = new Map<string, Input>();
  const nodes: Node[] = [];
  const seeds: [string, string][] = [];
  let total = "";
  for (const [i, asked] of losses.entries()) {
    const { kind, weight = 1, ...rest } = Object(asked) as LossTerm;
    if (!Object.hasOwn(ops, kind))
      throw new OctetteError("unknown loss", {
        code: "argument",
        where: `losses[${i}].kind`,
        expected: Object.keys(ops).join(", "),
        got: `${kind}`,
      });
    const { op, target, names } = ops[kind];
    checkOptions(`losses[${i}]`, asked, names);
    const isLabel = target === LABELS;
    if (shape.length < 2 || (isLabel && typeof shape.at(-1) !== "number"))
      throw new OctetteError("the losses do not fit the model's first output", {
        code: "argument",
        where: kind,
        expected: "[batch, …, classes]",
        got: `[${shape.join(", ")}]`,
      });
    inputs.set(target, {
      name: target,
      dtype: isLabel ? "i32" : "f32",
      shape: isLabel ? shape.slice(0, -1) : shape,
    });
    const [loss, gradient] = [`@loss.${i}`, `@loss.${i}.gradient`];
    nodes.push({
      op,
      name: loss,
      inputs: [value, target],
      outputs: [loss, gradient],
      attributes: { weight, ...rest },
    });
    seeds.push([value, gradient]);
    const sum = `@loss.sum.${i}`;
    if (total !== "") nodes.push({ ...plus(total, loss), name: sum, outputs: [sum] });
    total = total === "" ? loss : sum;
  }
  return { inputs: [...inputs.values()], nodes, outputs: [total, value], seeds };
}

/** The first output, or what its softmax is made of. */
function logitsOf(graph: Graph, models: ToolkitOps): string {
  const [output] = graph.outputs as [string];
  const last = graph.nodes.find(({ outputs }) => outputs.includes(output));
  return last && models[last.op]?.softmax ? last.inputs[0]! : output;
}
