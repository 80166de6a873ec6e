// Conversions of operators that run graphs. What a graph reads of those around it becomes its last inputs, and the node's.

import type { Graph } from "../../graph/graph";
import { tensor } from "../../graph/tensor";
import { I32_MAX } from "../elements";
import type { Conversion, Subgraph } from "./source";

/** The graph with these inputs after its own. Their types are those of what a node gives them: simplifying finds them. */
const withInputs = ({ inputs, captured: _, ...graph }: Subgraph, more: readonly string[]): Graph => ({
  ...graph,
  inputs: [...inputs, ...more].map((name) => ({ name, dtype: "f32", shape: [] })),
  provenance: {},
});

const branches: Conversion = (source) => {
  const [then, other] = [source.graph("then_branch"), source.graph("else_branch")];
  const captured = [...new Set([...then.captured, ...other.captured])];
  const graphs = { then_branch: withInputs(then, captured), else_branch: withInputs(other, captured) };
  return [{ ...source.node({}, { inputs: [...source.inputs, ...captured] }), graphs }];
};

export { branches as if };

export const loop: Conversion = (source) => {
  const [trips = "", condition = "", ...carried] = source.inputs;
  const body = source.graph("body");
  const one = (given: string, dtype: "i32" | "bool", value: number) =>
    given || source.define(`${source.name}_${dtype}`, tensor(dtype, [], [value]));
  const first = [one(trips, "i32", I32_MAX), one(condition, "bool", 1)];
  const node = source.node({ carried: carried.length }, { inputs: [...first, ...carried, ...body.captured] });
  return [{ ...node, graphs: { body: withInputs(body, body.captured) } }];
};

/** Before opset 9 it goes along the second axis of each of a batch, which may have lengths of their own. */
export const scan: Conversion = (source) => {
  const scans = source.int("num_scan_inputs", 0);
  const isBatched = source.opset < 9;
  const lengths = isBatched ? (source.inputs[0] ?? "") : "";
  const own = isBatched ? source.inputs.slice(1) : source.inputs;
  const directions = isBatched ? source.attribute("directions") : undefined;
  const body = source.graph("body");
  const attributes = {
    ...source.attributes(),
    num_scan_inputs: scans,
    states: own.length - scans,
    ...(isBatched && { batched: 1, lengths: lengths === "" ? 0 : 1 }),
    ...(directions && { scan_input_directions: directions }),
  };
  const inputs = [...(lengths === "" ? [] : [lengths]), ...own, ...body.captured];
  return [{ ...source.node(attributes, { inputs }), graphs: { body: withInputs(body, body.captured) } }];
};
