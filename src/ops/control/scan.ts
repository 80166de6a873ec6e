// Scan: runs a graph on one slice of its inputs after another. States are carried on; what an iteration makes beside them is stacked.
// ONNX Scan-25 and Scan-8. Scan-8 runs the graph for each row of a batch (`batched`); a row may have its own length (`lengths`).

import type { Node, ValueType } from "../../graph/graph";
import type { Dim, Shape } from "../../graph/symbols";
import { allocate, sizeOf, type Tensor } from "../../graph/tensor";
import { foundBy, type Host } from "../act";
import { normalizeAxis } from "../axes";
import { ANY_NUMBER, type GraphTypes, numberOf, numbersOf, type Op, opError } from "../op";
import { Around, bodyOf, inputsFor, ranksOf, widened } from "./entering";
import { findingTraits, pick } from "./finding";
import { Stack } from "./stack";

type Types = readonly (ValueType | undefined)[];

/** How many of its inputs are what, and in which order. */
function partsOf(node: Node) {
  const states = numberOf(node, "states", 0);
  const scans = numberOf(node, "num_scan_inputs", 0);
  const first = numberOf(node, "lengths", 0);
  if (states < 0 || scans < 1 || first + states + scans > node.inputs.length)
    throw opError(node, "its inputs do not fit", {
      expected: `${states} states and ${Math.max(1, scans)} sequences`,
      got: `${node.inputs.length - first} inputs`,
    });
  return { first, states, scans, isBatched: numberOf(node, "batched", 0) === 1 };
}

/** The axis of a sequence, among those of one of a batch. */
function axisOf(node: Node, name: string, i: number, rank: number): number {
  return normalizeAxis(node, numbersOf(node, name, [])[i] ?? 0, rank);
}

const isReversed = (node: Node, name: string, i: number) => numbersOf(node, name, [])[i] === 1;

/** Without the dimension of the batch. */
const ofOne = (node: Node, type: ValueType | undefined, isBatched: boolean): ValueType | undefined => {
  if (!type || !isBatched) return type;
  if (type.shape.length === 0) throw opError(node, "an input has no dimension of the batch");
  return { ...type, shape: type.shape.slice(1) };
};

/** What the body is given, of one of a batch, and how long its sequences are. */
function givenTo(node: Node, inputs: Types): { given: Types; length: Dim; batch: Dim | undefined } {
  const { first, states, scans, isBatched } = partsOf(node);
  let length: Dim = 0;
  const given = inputs.slice(first).map((type, i) => {
    if (i >= states + scans) return type;
    const one = ofOne(node, type, isBatched);
    if (!one || i < states) return one;
    if (one.shape.length === 0) throw opError(node, `sequence ${i - states} has no axis to go along`);
    const axis = axisOf(node, "scan_input_axes", i - states, one.shape.length);
    length = one.shape[axis]!;
    return { ...one, shape: one.shape.toSpliced(axis, 1) };
  });
  return { given, length, batch: isBatched ? inputs[first]?.shape[0] : undefined };
}

/** Types of the body's results: states, and those of one iteration. */
function resultsIn(node: Node, graphs: GraphTypes | undefined) {
  const results = graphs?.body ?? [];
  const { first, states } = partsOf(node);
  const body = bodyOf(node, "body");
  if (
    results.length < Math.max(states, node.outputs.length) ||
    body.inputs.length !== node.inputs.length - first
  )
    throw opError(node, "its body does not fit", {
      expected: `${Math.max(states, node.outputs.length)} results of ${node.inputs.length - first} inputs`,
      got: `${results.length} results of ${body.inputs.length} inputs`,
    });
  return { carried: results.slice(0, states), scanned: results.slice(states) };
}

/** Sizes that a run finds: all of all outputs but the batch and the lengths of sequences. */
const countOfFound = ({ carried, scanned }: ReturnType<typeof resultsIn>) =>
  ranksOf(carried) + ranksOf(scanned);

/** Runs the body along the sequences of one of a batch. */
function scan(
  node: Node,
  inputs: readonly Tensor[],
  length: number,
  { run, iterate, typesOf }: Host,
): Tensor[] {
  const body = bodyOf(node, "body");
  const { states, scans } = partsOf(node);
  const axes = inputs
    .slice(states, states + scans)
    .map(({ shape }, i) => axisOf(node, "scan_input_axes", i, shape.length));
  const stacks = body.outputs.slice(states).map(() => new Stack(node));
  const sliceAt = (t: number) =>
    axes.map((axis, i): Tensor => {
      const x = inputs[states + i]!;
      const at = isReversed(node, "scan_input_directions", i) ? length - 1 - t : t;
      const shape = x.shape.toSpliced(axis, 1);
      const size = sizeOf(shape);
      const isRow = axis === 0;
      return {
        dtype: x.dtype,
        shape,
        data: isRow ? x.data.subarray(at * size, (at + 1) * size) : pick(x, axis, [at]).data,
      };
    });
  const captured = inputs.slice(states + scans);
  let carried: readonly Tensor[] = inputs.slice(0, states);
  let [spare, made]: (readonly Tensor[])[] = [[], []];
  for (let t = 0; t < length; t++) {
    iterate(node);
    const results = run(body, [...carried, ...sliceAt(t), ...captured], spare);
    [spare, made] = [made!, results];
    carried = results.slice(0, states);
    for (const [k, stack] of stacks.entries()) stack.push(results[states + k]!);
  }
  const slices = axes.map((axis, i) => {
    const { dtype, shape } = inputs[states + i]!;
    return { dtype, shape: shape.toSpliced(axis, 1), data: allocate(dtype, 0) };
  });
  const otherwise = typesOf(body, [...carried, ...slices, ...captured]);
  return [
    ...carried,
    ...stacks.map((stack, k) => {
      const type = otherwise[states + k]!;
      const axis = axisOf(node, "scan_output_axes", k, type.shape.length + 1);
      return stack.tensor(type, axis, isReversed(node, "scan_output_directions", k));
    }),
  ];
}

/** Throws where sequences are not as long as each other. */
function lengthOf(node: Node, inputs: readonly Tensor[]): number {
  const { states, scans } = partsOf(node);
  const lengths = inputs
    .slice(states, states + scans)
    .map(({ shape }, i) => shape[axisOf(node, "scan_input_axes", i, shape.length)]!);
  if (lengths.every((length) => length === lengths[0])) return lengths[0]!;
  throw opError(node, "its sequences are not as long as each other", { got: lengths.join(", ") });
}

const rowOf = ({ dtype, shape, data }: Tensor, b: number): Tensor => {
  const size = sizeOf(shape.slice(1));
  return { dtype, shape: shape.slice(1), data: data.subarray(b * size, (b + 1) * size) };
};

/** Scan-8: each of a batch by itself; what is beyond a sequence's own length is zeros. */
function scanBatch(node: Node, inputs: readonly Tensor[], lengths: Tensor | undefined, host: Host): Tensor[] {
  const { states, scans } = partsOf(node);
  const each = states + scans;
  const batch = inputs[0]!.shape[0]!;
  if (inputs.slice(0, each).some(({ shape }) => shape[0] !== batch))
    throw opError(node, "its inputs are not of one batch", { expected: `${batch} each` });
  let outputs: Tensor[] | undefined;
  for (let b = 0; b < batch; b++) {
    const own = inputs.map((input, i) => (i < each ? rowOf(input, b) : input));
    const longest = lengthOf(node, own);
    const length = lengths?.data[b] ?? longest;
    if (!(length >= 0 && length <= longest))
      throw opError(node, "a length is beyond the sequences", {
        expected: `0 to ${longest}`,
        got: `${length}`,
      });
    const made = scan(node, own, length, host).map((one, i) => (i < states ? one : padded(one, longest)));
    outputs ??= made.map(({ dtype, shape }) => {
      const whole = [batch, ...shape];
      return { dtype, shape: whole, data: allocate(dtype, sizeOf(whole)) };
    });
    for (const [i, { shape, data }] of made.entries()) {
      const output = outputs[i]!;
      if (`${output.shape.slice(1)}` !== `${shape}`)
        throw opError(node, "those of a batch make outputs of different shapes", { got: `[${shape}]` });
      output.data.set(data, b * data.length);
    }
  }
  if (outputs) return outputs;
  throw opError(node, "its batch is empty", { expected: "at least one of it" });
}

function padded({ dtype, shape, data }: Tensor, length: number): Tensor {
  const whole = [length, ...shape.slice(1)];
  const all = allocate(dtype, sizeOf(whole));
  all.set(data);
  return { dtype, shape: whole, data: all };
}

const op: Op = {
  inputs: ANY_NUMBER,
  attributes: [
    ...["states", "lengths", "batched", "num_scan_inputs"],
    ...["scan_input_axes", "scan_input_directions", "scan_output_axes", "scan_output_directions"],
  ],
  graphs: ["body"],
  infer(node, inputs, graphs) {
    const results = resultsIn(node, graphs);
    const { carried, scanned } = results;
    const { inputs: own } = bodyOf(node, "body");
    const { given, length, batch } = givenTo(node, inputs);
    const around = new Around(node, foundBy(node, countOfFound(results)));
    around.enter(own.slice(carried.length), given.slice(carried.length));
    const shapes = around.carry(own.slice(0, carried.length), given.slice(0, carried.length), carried);
    const inBatch = (shape: Shape): Shape => (batch === undefined ? shape : [batch, ...shape]);
    return [
      ...carried.map(({ dtype }, i) => ({ dtype, shape: inBatch(shapes[i]!) })),
      ...scanned.map(({ dtype, shape }, k) => {
        const axis = axisOf(node, "scan_output_axes", k, shape.length + 1);
        return { dtype, shape: inBatch(around.shape(shape).toSpliced(axis, 0, length)) };
      }),
    ];
  },
  finds: (node, _, graphs) => countOfFound(resultsIn(node, graphs)),
  act(node, inputs, host) {
    const { first, states, isBatched } = partsOf(node);
    const own = inputs.slice(first);
    const outputs = isBatched
      ? scanBatch(node, own, first ? inputs[0] : undefined, host)
      : scan(node, own, lengthOf(node, own), host);
    const found = outputs.flatMap(({ shape }, i) => {
      const one = isBatched ? shape.slice(1) : shape;
      return i < states ? one : one.toSpliced(axisOf(node, "scan_output_axes", i - states, one.length), 1);
    });
    return { outputs, found };
  },
  control: {
    captures(node) {
      const { first, states, scans } = partsOf(node);
      return first + states + scans;
    },
    enter: (node, inputs) => ({ body: inputsFor(node, bodyOf(node, "body"), givenTo(node, inputs).given) }),
    widen(node, graphs) {
      const body = widened(node, bodyOf(node, "body"), 0, resultsIn(node, graphs).carried);
      return body && { body };
    },
  },
};

export { op as scan };
export const scanTraits = findingTraits;
