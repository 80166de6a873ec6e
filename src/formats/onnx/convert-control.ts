// Conversions of operators that run graphs. What a graph reads of those around it becomes its last inputs, and the node's.

import { tensor } from "../../graph/tensor";
import { I32_MAX } from "../elements";
import { always, chosen } from "./chosen-sequences";
import { looped } from "./looped-sequences";
import { withInputs } from "./parts";
import { elementsOf, Stacks } from "./pieces";
import type { Conversion } from "./source";

const branches: Conversion = (source) => {
  const {
    nodes,
    branches: [then, other],
    outputs,
  } = chosen(source);
  if (outputs.length === 0) return nodes;
  const captured = [...new Set([...then.captured, ...other.captured])];
  const graphs = { then_branch: withInputs(then, captured), else_branch: withInputs(other, captured) };
  const inputs = [...source.inputs, ...captured];
  return [...nodes, { ...source.node({}, { inputs, outputs }), graphs }];
};

export { branches as if };

export const loop: Conversion = (source) => {
  const [trips = "", condition = ""] = source.inputs;
  const one = (given: string, dtype: "i32" | "bool", value: number) =>
    given || source.define(`${source.name}_${dtype}`, tensor(dtype, [], [value]));
  const first = [one(trips, "i32", I32_MAX), one(condition, "bool", 1)];
  const { before, body, carried, outputs, after } = looped(source);
  const inputs = [...first, ...carried, ...body.captured];
  const node = source.node({ carried: carried.length }, { inputs, outputs });
  return [...before, { ...node, graphs: { body: withInputs(body, body.captured) } }, ...after];
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

/** Elements of a list that SequenceMap runs its graph for one by one; of more, which have one shape, Scan takes slices. */
const MAX_UNROLLED = 32;

export const sequenceMap: Conversion = (source) => {
  const { inputs, outputs, sequences } = source;
  source.ignore(...inputs);
  const body = source.graph("body");
  const given = inputs.map((name) => sequences.get(name));
  const lists = given.map((sequence) => sequence && elementsOf(sequence));
  const [first] = given;
  if (!first || body.inputs.length !== inputs.length)
    throw source.error("its inputs do not fit", {
      expected: `a list and ${body.inputs.length - 1} values`,
      got: `${inputs.length} inputs${first ? "" : ", of which the first is no list"}`,
    });
  const count = first.length;
  if (count <= MAX_UNROLLED && given.every((sequence, i) => !sequence || lists[i]?.length === count)) {
    const made = first.map((_, k) => outputs.map((output) => source.fresh(`${output}_${k}`)));
    for (const [i, output] of outputs.entries())
      sequences.set(
        output,
        made.map((of) => ({ element: of[i]! })),
      );
    return made.map((of, k) =>
      always(
        source,
        body,
        inputs.map((name, i) => lists[i]?.[k] ?? name),
        of,
      ),
    );
  }
  const parts = new Stacks(source);
  const isList = (_: string, i: number) => given[i] !== undefined;
  const isValue = (_: string, i: number) => given[i] === undefined;
  const stacks = given.flatMap((sequence) => (sequence ? [parts.whole(sequence)] : []));
  const own = body.ending([...body.inputs.filter(isList), ...body.inputs.filter(isValue)], body.outputs, []);
  const made = outputs.map((output) => source.fresh(output));
  for (const [i, output] of outputs.entries()) sequences.set(output, [{ stack: made[i]!, axis: 0 }]);
  const node = source.node(
    { num_scan_inputs: stacks.length, states: 0 },
    { op: "Scan", inputs: [...stacks, ...inputs.filter(isValue), ...body.captured], outputs: made },
  );
  return [...parts.nodes, { ...node, graphs: { body: withInputs(own, body.captured) } }];
};
