// In which layout each value lies: every op is asked for the ones that it reads and makes, and a value is converted where they differ.

import { OctetteError } from "../errors";
import type { Graph, ValueType } from "../graph/graph";
import { FreshNames } from "../graph/names";
import type { Constant } from "../graph/tensor";
import { opOf, type Registry } from "../ops/infer";
import type { Layout, Unit } from "../ops/op";
import type { Task } from "./lowering";
import type { NamedNodes } from "./plan";

/** Asks every op for its layouts, and converts a value once for each other layout in each entry that may run alone. */
export function chooseLayouts(
  graph: Graph<Constant>,
  entries: readonly NamedNodes[],
  registry: Registry,
  units: readonly Unit[],
  types: Map<string, ValueType>,
): { tasks: Task[][]; layouts: Map<string, Layout>; outputs: string[] } {
  const layouts = new Map<string, Layout>(graph.inputs.map(({ name }) => [name, "plain"]));
  const tasks: Task[][] = [];
  let own: Task[] = [];
  const names = new FreshNames(types.keys());
  const conversions = new Map<string, string>();
  const bring = (value: string, wanted: Layout): string => {
    const type = types.get(value);
    if (!type || (layouts.get(value) ?? "plain") === wanted) return value;
    let converted = conversions.get(`${wanted} ${value}`);
    if (converted !== undefined) return converted;
    converted = names.fresh(`${value}@${wanted}`);
    conversions.set(`${wanted} ${value}`, converted);
    types.set(converted, type);
    layouts.set(converted, wanted);
    own.push({ from: value, to: converted });
    return converted;
  };
  const place = (unit: Unit): void => {
    const op = opOf(registry, unit.node.op, unit.node.name);
    const inputTypes = unit.inputs.map((input) => types.get(input));
    const layoutOf = (value: string) => layouts.get(value) ?? "plain";
    const wanted = op.layout?.(unit.node, unit.inputs.map(layoutOf), inputTypes, layoutOf);
    const inputs = unit.inputs.map((input, i) => bring(input, wanted?.inputs[i] ?? "plain"));
    unit.outputs.forEach((output, i) => {
      if (output !== "") layouts.set(output, wanted?.outputs[i] ?? "plain");
    });
    own.push({ ...unit, inputs });
  };
  const made = new Set<string>();
  /** What holds each output as callers read it. */
  const read: string[] = [];
  for (const { nodes } of entries) {
    const named = new Set(nodes);
    const mine = units.filter(({ node }) => named.has(node));
    if (!mine.some(({ inputs }) => inputs.some((value) => made.has(value)))) conversions.clear();
    tasks.push((own = []));
    for (const unit of mine) place(unit);
    for (const value of mine.flatMap(({ outputs }) => outputs)) made.add(value);
    for (const [i, output] of graph.outputs.entries())
      if (layouts.has(output)) read[i] ??= bring(output, "plain");
  }
  const outputs = graph.outputs.map((output, i) => {
    if (read[i] !== undefined) return read[i];
    if (graph.constants.has(output)) return output;
    throw new OctetteError(`output "${output}" is produced by no node`, {
      code: "graph",
      where: graph.name,
    });
  });
  return { tasks, layouts, outputs };
}
