// Activations that exporters write with several nodes become one: x·sigmoid(x) is Silu, x·hardSigmoid(x) HardSwish,
// x·½·(1 + erf(x/√2)) Gelu. Each is one kernel then, and one table where it is quantized.

import type { Attribute, Graph, Node } from "../graph/graph";
import { numberOf } from "../ops/op";
import { Rewrite } from "../rewrite/changes";

/** Constants in files are f32, some written with few digits. */
const isNear = (value: number | undefined, wanted: number) =>
  value !== undefined && Math.abs(value - wanted) <= 1e-4 * Math.abs(wanted);

export function fuseActivations(graph: Graph): Graph {
  const rewrite = new Rewrite(graph);
  for (const node of graph.nodes) {
    if (node.codes || rewrite.isReplaced(node)) continue;
    const fused =
      node.op === "Mul" ? product(node, rewrite) : node.op === "Div" ? sixth(node, rewrite) : undefined;
    if (!fused) continue;
    const { op, x, attributes = {}, taken } = fused;
    for (const inner of taken) rewrite.replace(inner);
    rewrite.replace(node, { ...node, op, inputs: [x], attributes });
  }
  return rewrite.done();
}

interface Fused {
  readonly op: string;
  readonly x: string;
  readonly attributes?: Record<string, Attribute>;
  /** Nodes it stands for, beside the last. */
  readonly taken: readonly Node[];
}

/** Both orders of a node's two inputs. */
const orders = (node: Node) => [node.inputs, [...node.inputs].reverse()] as [string, string][];

/** The input of a two-input node beside the constant `wanted`. */
function besideConstant(node: Node, wanted: number, rewrite: Rewrite): string | undefined {
  return orders(node).find(([, constant]) => isNear(rewrite.scalar(constant), wanted))?.[0];
}

function product(mul: Node, rewrite: Rewrite): Fused | undefined {
  for (const [x, other] of orders(mul)) {
    const gate = rewrite.soleProducer(other);
    if (gate?.inputs[0] === x && gate.op === "Sigmoid") return { op: "Silu", x, taken: [gate] };
    if (gate?.inputs[0] === x && isSwishGate(gate)) return { op: "HardSwish", x, taken: [gate] };
  }
  return gelu(mul, rewrite) ?? sixth(mul, rewrite);
}

/** max(0, min(1, x/6 + ½)). */
const isSwishGate = (node: Node) =>
  node.op === "HardSigmoid" &&
  isNear(numberOf(node, "alpha", 0.2), 1 / 6) &&
  isNear(numberOf(node, "beta", 0.5), 0.5);

/** clip(x + 3, 0, 6) / 6 is HardSigmoid, x · clip(x + 3, 0, 6) / 6 HardSwish. */
function sixth(node: Node, rewrite: Rewrite): Fused | undefined {
  const dividend =
    node.op === "Div"
      ? isNear(rewrite.scalar(node.inputs[1]), 6)
        ? node.inputs[0]
        : undefined
      : besideConstant(node, 1 / 6, rewrite);
  const inner = rewrite.soleProducer(dividend);
  if (!inner) return undefined;
  const gate = shiftedClip(inner, rewrite);
  if (gate)
    return {
      op: "HardSigmoid",
      x: gate.x,
      attributes: { alpha: 1 / 6, beta: 0.5 },
      taken: [inner, gate.add],
    };
  if (inner.op !== "Mul") return undefined;
  for (const [x, other] of orders(inner)) {
    const clip = rewrite.soleProducer(other);
    const own = clip && shiftedClip(clip, rewrite);
    if (own?.x === x) return { op: "HardSwish", x, taken: [inner, clip!, own.add] };
  }
  return undefined;
}

/** clip(x + 3, 0, 6). */
function shiftedClip(clip: Node, rewrite: Rewrite): { x: string; add: Node } | undefined {
  if (clip.op !== "Clip" || clip.inputs.length !== 1) return undefined;
  if (numberOf(clip, "min", -Infinity) !== 0 || !isNear(numberOf(clip, "max", Infinity), 6)) return undefined;
  const add = rewrite.soleProducer(clip.inputs[0], "Add");
  const x = add && besideConstant(add, 3, rewrite);
  return x === undefined ? undefined : { x, add: add! };
}

/** x · ½ · (1 + erf(x/√2)), the three factors in any order. */
function gelu(mul: Node, rewrite: Rewrite): Fused | undefined {
  const { factors, taken } = factorsOf(mul, rewrite);
  if (factors.length !== 3) return undefined;
  const half = factors.find((factor) => isNear(rewrite.scalar(factor), 0.5));
  for (const factor of factors) {
    const sum = rewrite.soleProducer(factor, "Add");
    const erf = sum && rewrite.soleProducer(besideConstant(sum, 1, rewrite), "Erf");
    const scaled = erf && rewrite.soleProducer(erf.inputs[0]);
    if (!sum || !erf || !scaled) continue;
    const x =
      scaled.op === "Div"
        ? isNear(rewrite.scalar(scaled.inputs[1]), Math.SQRT2)
          ? scaled.inputs[0]
          : undefined
        : scaled.op === "Mul"
          ? besideConstant(scaled, Math.SQRT1_2, rewrite)
          : undefined;
    const rest = factors.filter((other) => other !== factor && other !== half);
    if (half !== undefined && x !== undefined && rest.length === 1 && rest[0] === x)
      return { op: "Gelu", x, attributes: { approximate: "none" }, taken: [...taken, sum, erf, scaled] };
  }
  return undefined;
}

/** The factors of a product of Muls that nothing else reads. */
function factorsOf(mul: Node, rewrite: Rewrite): { factors: string[]; taken: Node[] } {
  const factors: string[] = [];
  const taken: Node[] = [];
  for (const input of mul.inputs) {
    const inner = rewrite.soleProducer(input, "Mul");
    if (!inner) {
      factors.push(input);
      continue;
    }
    taken.push(inner);
    factors.push(...inner.inputs);
  }
  return { factors, taken };
}
