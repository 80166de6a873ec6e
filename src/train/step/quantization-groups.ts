// Scales and zero points of activations: which values share them, and a deployed graph with others.

import type { CodeParameters, Graph, Node } from "../../graph/graph";
import { type Tensor, tensor } from "../../graph/tensor";
import { heldAbove, sumScales } from "../../ops/codes";
import type { ToolkitOps } from "../../ops/infer";
import { type Affine, dequantizeBias, quantizeBias } from "../../ops/scheme";
import { toolkit } from "../../toolkit/toolkit";

/** Scale and zero point of values that have the same ones. */
export interface Shared extends Affine {
  /** Constants that hold them. */
  readonly scales: readonly string[];
  readonly zeroPoints: readonly string[];
  /** Codes that something computes; the others are only moved. */
  readonly made: readonly string[];
}

/** A zero point as codes are held. */
const zeroPointOf = ({ dtype, data }: Tensor): number => data[0]! + heldAbove(dtype);

/** Codes, and the scale and zero point by which a node reads or makes them. */
interface Place extends CodeParameters {
  readonly codes: string;
}

/** Every place of a graph where codes are read or made under a scale. */
const placesOf = ({ nodes }: Graph): Place[] =>
  nodes.flatMap(({ op, inputs, outputs, codes }): Place[] => {
    if (op === "QuantizeLinear" || op === "DequantizeLinear") {
      const [x = "", scale = "", zeroPoint = ""] = inputs;
      return [{ codes: op === "QuantizeLinear" ? outputs[0]! : x, scale, zeroPoint }];
    }
    const read = (codes?.inputs ?? []).map((p, i) => p && { ...p, codes: inputs[i]! });
    const made = codes?.output && { ...codes.output, codes: outputs[0]! };
    return [...read, made].filter((place): place is Place => place !== undefined && place.scale !== "");
  });

/** What can move: constants of nothing else, one scale and one zero point for all values that have to share them. */
export function sharedOf(graph: Graph, ops: ToolkitOps = toolkit.ops): Shared[] {
  const { constants } = graph;
  const sets = new Sets();
  const fixed = new Set<string>();
  for (const { codes, scale, zeroPoint } of placesOf(graph)) {
    const isActivation =
      !constants.has(codes) &&
      constants.get(scale)?.data.length === 1 &&
      /^[ui]8$/.test(constants.get(zeroPoint)?.dtype ?? "");
    if (isActivation) sets.join(codes, scale, zeroPoint);
    else for (const name of [codes, scale, zeroPoint]) fixed.add(name);
  }
  const made = new Set<string>();
  for (const node of graph.nodes) {
    const y = node.outputs[0]!;
    if (node.op === "QuantizeLinear") made.add(y);
    if (!node.codes?.output) continue;
    const isRead = (value: string, i: number) => node.codes!.inputs[i] && !constants.has(value);
    const read = node.inputs.filter(isRead);
    const moved = node.inputs.filter((value, i) => isRead(value, i) && isMoved(node, i, constants, ops));
    for (const value of moved) sets.join(value, y);
    if (moved.length < Math.max(1, read.length)) made.add(y);
    // Plain sums have the scale of their operands.
    if (fixed.has(y)) for (const value of read) fixed.add(value);
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

/** Whether a layer's codes are those of an input: always where it only moves them, in a Concat where they mean the same. */
function isMoved({ op, codes }: Node, i: number, constants: Graph["constants"], ops: ToolkitOps): boolean {
  const treated = ops[op]?.codes;
  if (treated === "moves") return true;
  const [x, y] = [codes!.inputs[i]!, codes!.output!];
  const same = (a: string, b: string) => constants.get(a)?.data[0] === constants.get(b)?.data[0];
  return treated === "join" && same(x.scale, y.scale) && same(x.zeroPoint, y.zeroPoint);
}

/** These codes, and those that layers only move from there. */
export function movedFrom({ nodes }: Graph, codes: string, ops: ToolkitOps): Set<string> {
  const found = new Set([codes]);
  for (const node of nodes)
    if (node.codes?.output && ops[node.op]?.codes === "moves" && found.has(node.inputs[0]!))
      found.add(node.outputs[0]!);
  return found;
}

/** Names of the scales by which some codes are read and made. */
export const scalesOf = (graph: Graph, codes: ReadonlySet<string>): Set<string> =>
  new Set(placesOf(graph).flatMap((place) => (codes.has(place.codes) ? [place.scale] : [])));

/** The nodes of a graph, with other names of the scales by which some codes are read and made. */
export function withScales(
  { nodes }: Graph,
  codes: ReadonlySet<string>,
  nameOf: (scale: string) => string,
): Node[] {
  const own = (p: CodeParameters | undefined, value: string) =>
    p && codes.has(value) ? { ...p, scale: nameOf(p.scale) } : p;
  return nodes.map((node) => {
    const [x, scale, ...rest] = node.inputs as [string, string, ...string[]];
    if (node.op === "DequantizeLinear" && codes.has(x))
      return { ...node, inputs: [x, nameOf(scale), ...rest] };
    if (!node.codes) return node;
    const { inputs, output } = node.codes;
    const made = own(output, node.outputs[0]!);
    const read = inputs.map((p, i) => own(p, node.inputs[i]!));
    return { ...node, codes: { ...node.codes, inputs: read, ...(made && { output: made }) } };
  });
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

/**
 * The graph with other scales and zero points. Biases that are codes of the scales of inputs stand for what they did, but for
 * those that are `computed` anyway.
 */
export function withParameters(
  graph: Graph,
  moved: readonly (readonly [shared: Shared, now: Affine])[],
  computed: ReadonlySet<string> = new Set(),
): Graph {
  const constants = new Map(graph.constants);
  const set = (name: string, value: number) => {
    const { dtype, shape } = constants.get(name)!;
    constants.set(name, tensor(dtype, shape, [value]));
  };
  for (const [{ scales, zeroPoints }, now] of moved) {
    for (const name of scales) set(name, now.scale);
    for (const name of zeroPoints) set(name, now.zeroPoint - heldAbove(constants.get(name)!.dtype));
  }
  for (const node of graph.nodes)
    if (!computed.has(node.inputs[2] ?? "")) rescaleBias(graph, constants, node);
  return { ...graph, constants };
}

/** Makes the codes of a layer's bias anew where the scale of its input moved. */
function rescaleBias(graph: Graph, constants: Map<string, Tensor>, { inputs, codes }: Node): void {
  const [x, w, b] = codes?.inputs ?? [];
  if (!x || !w || b?.scale !== "") return;
  const [now, before] = [constants.get(x.scale)?.data[0], graph.constants.get(x.scale)?.data[0]];
  const held = graph.constants.get(inputs[2]!);
  if (!held || now === undefined || now === before) return;
  const weights = constants.get(w.scale)!.data as Float32Array;
  const each = weights.length === 1 ? new Float32Array(held.data.length).fill(weights[0]!) : weights;
  const bias = dequantizeBias(held.data, sumScales(before!, each));
  constants.set(inputs[2]!, tensor("i32", held.shape, quantizeBias(bias, sumScales(now, each))));
}
