// Scales and zero points of activations: which values share them, and a deployed graph with others.

import { type Graph, type Node, producersOf } from "../../graph/graph";
import { type Tensor, tensor } from "../../graph/tensor";
import { isLinear } from "../../ops/linear-layer";
import { toolkitOps } from "../../ops/toolkit";
import { type Affine, biasScales, dequantizeBias, quantizeBias } from "../../quantize/scheme";

/** Scale and zero point of values that have the same ones. */
export interface Shared extends Affine {
  /** Constants that hold them. */
  readonly scales: readonly string[];
  readonly zeroPoints: readonly string[];
  /** Codes that something computes; the others are only moved. */
  readonly made: readonly string[];
}

/** Codes of i8 are held as u8, so their zero point is there 128 higher. */
const HALF = 128;
const zeroPointOf = ({ dtype, data }: Tensor): number => data[0]! + (dtype === "i8" ? HALF : 0);

/** What can move: constants of nothing else, one scale and one zero point for all values that have to share them. */
export function sharedOf(graph: Graph): Shared[] {
  const { constants } = graph;
  const sets = new Sets();
  const fixed = new Set<string>();
  const coders = graph.nodes.filter(({ op }) => op === "QuantizeLinear" || op === "DequantizeLinear");
  for (const node of coders) {
    const [, scale = "", zero = ""] = node.inputs;
    const codes = codesOf(node);
    const isActivation =
      !constants.has(codes) &&
      constants.get(scale)?.data.length === 1 &&
      /^[ui]8$/.test(constants.get(zero)?.dtype ?? "");
    if (isActivation) sets.join(codes, scale, zero);
    else for (const name of [codes, scale, zero]) fixed.add(name);
  }
  const made = new Set<string>();
  for (const { quantize, op, inputs } of regionsOf(graph)) {
    const y = quantize.outputs[0]!;
    const moved = inputs.filter((input) => isMoved(op, input, quantize, constants));
    for (const input of moved) sets.join(codesOf(input), y);
    if (moved.length < Math.max(1, inputs.length)) made.add(y);
    // Sums as they are: their scale is that of what they are made of.
    if (fixed.has(y)) for (const input of inputs) fixed.add(codesOf(input));
  }
  return sets.all().flatMap((names) => {
    const scales = names.filter((name) => constants.get(name)?.dtype === "f32");
    const zeroPoints = names.filter((name) => constants.has(name) && !scales.includes(name));
    const own = names.filter((name) => made.has(name));
    const [scale, ...others] = new Set(scales.map((name) => constants.get(name)!.data[0]!));
    const [zeroPoint, ...more] = new Set(zeroPoints.map((name) => zeroPointOf(constants.get(name)!)));
    const isOne = others.length === 0 && more.length === 0 && own.length > 0;
    if (!isOne || names.some((name) => fixed.has(name))) return [];
    return [{ scale: scale!, zeroPoint: zeroPoint!, scales, zeroPoints, made: own }];
  });
}

const codesOf = ({ op, inputs, outputs }: Node): string =>
  op === "QuantizeLinear" ? outputs[0]! : inputs[0]!;

/** What makes codes: a QuantizeLinear, the op before it in its region, and the DequantizeLinear nodes that one reads. */
interface Region {
  readonly quantize: Node;
  readonly op: Node | undefined;
  readonly inputs: readonly Node[];
}

function regionsOf(graph: Graph): Region[] {
  return graph.nodes
    .filter(({ op }) => op === "QuantizeLinear")
    .map((quantize) => {
      const nodes = quantize.region === undefined ? [] : nodesOf(graph, quantize.region);
      const op = nodes.find((node) => !/QuantizeLinear$|DequantizeLinear$/.test(node.op));
      const computed = nodes.filter(
        (node) => node.op === "DequantizeLinear" && !graph.constants.has(node.inputs[0]!),
      );
      return { quantize, op, inputs: computed };
    });
}

/** The nodes of an integer region. */
export const nodesOf = (graph: Graph, region: string): Node[] =>
  graph.nodes.filter((node) => node.region === region);

/** Whether an op's codes are those of its input: always where it only moves them, in a Concat where they mean the same. */
function isMoved(op: Node | undefined, input: Node, quantize: Node, constants: Graph["constants"]): boolean {
  const codes = op && toolkitOps[op.op]?.codes;
  if (codes !== "join" && codes !== "moves") return false;
  const same = (i: number) =>
    constants.get(input.inputs[i]!)?.data[0] === constants.get(quantize.inputs[i]!)?.data[0];
  return codes === "moves" || (same(1) && same(2));
}

/** Sets of names that belong together. */
class Sets {
  readonly #setOf = new Map<string, Set<string>>();

  join(...names: readonly string[]): void {
    const [first, ...others] = names.map((name) => this.#setOf.get(name) ?? new Set([name]));
    for (const other of others) for (const name of other) first!.add(name);
    for (const name of first!) this.#setOf.set(name, first!);
  }

  all(): string[][] {
    return [...new Set(this.#setOf.values())].map((set) => [...set]);
  }
}

/** The graph with other scales and zero points. Biases that are codes of the scales of inputs stand for what they did. */
export function withParameters(
  graph: Graph,
  moved: readonly (readonly [shared: Shared, now: Affine])[],
): Graph {
  const constants = new Map(graph.constants);
  const set = (name: string, value: number) => {
    const { dtype, shape } = constants.get(name)!;
    constants.set(name, tensor(dtype, shape, [value]));
  };
  for (const [{ scales, zeroPoints }, now] of moved) {
    for (const name of scales) set(name, now.scale);
    for (const name of zeroPoints)
      set(name, now.zeroPoint - (constants.get(name)!.dtype === "i8" ? HALF : 0));
  }
  const producers = producersOf(graph);
  for (const node of graph.nodes.filter(isLinear)) rescaleBias(graph, constants, producers, node);
  return { ...graph, constants };
}

/** Makes the codes of a layer's bias anew where the scale of its input moved. */
function rescaleBias(
  graph: Graph,
  constants: Map<string, Tensor>,
  producers: ReadonlyMap<string, Node>,
  node: Node,
): void {
  const [x, w, b] = node.inputs.map((input) => producers.get(input));
  const [codes = "", scale = ""] = b?.inputs ?? [];
  const held = graph.constants.get(codes);
  const xScale = x?.op === "DequantizeLinear" ? x.inputs[1]! : "";
  const now = constants.get(xScale)?.data[0];
  if (held?.dtype !== "i32" || now === undefined || now === graph.constants.get(xScale)!.data[0]) return;
  const old = graph.constants.get(scale)!;
  const weights = constants.get(w!.inputs[1]!)!.data as Float32Array;
  const sums = biasScales(now, weights);
  const bias = dequantizeBias(held.data, old.data);
  const each = sums.length === 1 ? new Float32Array(bias.length).fill(sums[0]!) : sums;
  constants.set(codes, tensor("i32", held.shape, quantizeBias(bias, each)));
  constants.set(scale, tensor("f32", old.shape, old.data.length === 1 ? sums.slice(0, 1) : each));
}
