// Operators over sequences. Elements that a file names are read by their names; others are slices of a tensor. No sequence is left.

import { tensor } from "../../graph/tensor";
import { elementOf, elementsOf, Stacks } from "./pieces";
import { type Conversion, type Sequence, type Source, same } from "./source";

/** Elements that a sequence may have: every node that adds one lists them anew. */
const MAX_ELEMENTS = 512;

/** No nodes: those that read an element make it. */
function keep(source: Source, sequence: Sequence) {
  if (sequence.length > MAX_ELEMENTS)
    throw source.error("its sequence is too long", { expected: `at most MAX_ELEMENTS = ${MAX_ELEMENTS}` });
  source.ignore(...source.inputs);
  source.sequences.set(source.outputs[0] ?? "", sequence);
  return [];
}

/** The sequence that is the first input. */
function read(source: Source): Sequence {
  const [name = ""] = source.inputs;
  source.ignore(name);
  const sequence = source.sequences.get(name);
  if (sequence) return sequence;
  throw source.error(`the elements of "${name}" are not known`, {
    hint: "Export the model without lists of tensors as inputs",
  });
}

/** The place of a piece by that of an element; those below 0 count from the end. Undefined where one between is more than an element. */
function pieceAt(source: Source, sequence: Sequence, value: string, end = sequence.length) {
  source.ignore(value);
  const place = source.constant(value)?.data[0];
  const isList = elementsOf(sequence) !== undefined;
  const from = place !== undefined && place < 0 ? place + sequence.length : place;
  const before = place !== undefined && place < 0 ? sequence.slice(place) : sequence.slice(0, place);
  const isPlain = from !== undefined && from >= 0 && from < end && elementsOf(before) !== undefined;
  if (isList && place !== undefined && !isPlain)
    throw source.error("its position does not fit", { expected: `a constant below ${end}`, got: `${place}` });
  return isPlain ? from : undefined;
}

function unplaced(source: Source, position: string) {
  return source.error("its position does not fit", {
    expected: "a constant place before or after all elements that a loop or a Split makes",
    got: `${source.constant(position)?.data[0] ?? "a computed one"}`,
  });
}

export const identity: Conversion = (source) => {
  const sequence = source.sequences.get(source.inputs[0] ?? "");
  return sequence ? keep(source, sequence) : same(source);
};

export const sequenceConstruct: Conversion = (source) =>
  keep(
    source,
    source.inputs.map((element) => ({ element })),
  );

export const sequenceEmpty: Conversion = (source) => {
  source.ignore("dtype");
  return keep(source, []);
};

export const sequenceInsert: Conversion = (source) => {
  const [, element = "", position = ""] = source.inputs;
  const sequence = read(source);
  const { length } = sequence;
  const place = position === "" ? length : pieceAt(source, sequence, position, length + 1);
  if (place === undefined) throw unplaced(source, position);
  return keep(source, sequence.toSpliced(place, 0, { element }));
};

export const sequenceErase: Conversion = (source) => {
  const sequence = read(source);
  const [, position = ""] = source.inputs;
  const place = position === "" ? sequence.length - 1 : pieceAt(source, sequence, position);
  if (place === undefined || elementOf(sequence[place]) === undefined) throw unplaced(source, position);
  return keep(source, sequence.toSpliced(place, 1));
};

export const sequenceAt: Conversion = (source) => {
  const sequence = read(source);
  const [, position = ""] = source.inputs;
  const element = elementOf(sequence[pieceAt(source, sequence, position) ?? -1]);
  if (element !== undefined) return [source.node({}, { op: "Identity", inputs: [element] })];
  const parts = new Stacks(source);
  const [only] = sequence;
  const piece =
    sequence.length === 1 && only && "stack" in only ? only : { stack: parts.whole(sequence), axis: 0 };
  const { stack, axis, isKept } = piece;
  const shape = isKept ? [1] : [];
  const place = source.constant(position)?.data[0];
  const index =
    place === undefined
      ? parts.reshape(position, [parts.integers("index_shape", shape)])
      : source.define(`${source.name}_index`, tensor("i32", shape, [place]));
  return parts.last("Gather", [stack, index], { axis });
};

export const sequenceLength: Conversion = (source) => {
  const parts = new Stacks(source);
  const sequence = read(source);
  const open = sequence.filter((piece) => elementOf(piece) === undefined);
  const known = { shape: [], dtype: "i32", value: sequence.length - open.length };
  if (open.length === 0) return [source.node(known, { op: "ConstantOfShape", inputs: [] })];
  const first = parts.make("ConstantOfShape", "length", [], known);
  const sum = open.reduce((sum, piece) => parts.make("Add", "sum", [sum, parts.length(piece)]), first);
  return parts.last("Identity", [sum]);
};

export const concatFromSequence: Conversion = (source) => {
  const parts = new Stacks(source);
  const axis = source.int("axis", 0);
  const isStacked = source.int("new_axis", 0) !== 0;
  const sequence = read(source);
  const elements = elementsOf(sequence);
  if (elements?.length) {
    const all = elements.map((element, i) =>
      isStacked ? parts.make("Unsqueeze", `part_${i}`, [element], { axes: [axis] }) : element,
    );
    return parts.last("Concat", all, { axis });
  }
  const [only] = sequence;
  if (only && sequence.length === 1 && "stack" in only)
    if (only.axis === axis && isStacked !== (only.isKept ?? false))
      return parts.last("Identity", [only.stack]);
  const x = parts.whole(sequence);
  // The axis of the elements goes before that of each of them, or becomes one.
  const at = isStacked || axis >= 0 ? axis : axis - 1;
  const moved = at === 0 ? x : parts.turn(x, at);
  return parts.last("Concat", [isStacked ? moved : parts.merge(moved, at)], { axis });
};

/** Parts of constant lengths, or slices. */
export const splitToSequence: Conversion = (source) => {
  const [x = "", lengths = ""] = source.inputs;
  const axis = source.int("axis", 0);
  const isKept = source.int("keepdims", 1) !== 0;
  if (lengths === "") return keep(source, [{ stack: x, axis, isKept }]);
  const known = source.constant(lengths);
  if (!known)
    throw source.error("the lengths of its parts are computed", {
      expected: "constant lengths",
      hint: "Export the model for parts of a known length",
    });
  const parts = new Stacks(source);
  const { shape, data } = known;
  if (shape.length === 1) {
    const names = Array.from(data, (_, i) => `part_${i}`);
    const elements = parts.several("Split", names, [x, parts.integers("lengths", [...data])], { axis });
    keep(
      source,
      elements.map((element) => ({ element })),
    );
    return parts.nodes;
  }
  const length = data[0]!;
  if (length === 1) return keep(source, [{ stack: x, axis, isKept: true }]);
  // Parts of equal lengths: what does not divide into them is refused.
  const after = axis === -1 ? [] : [parts.dims(x, axis + 1)];
  const before = axis === 0 ? [] : [parts.dims(x, 0, axis)];
  const stack = parts.reshape(x, [...before, parts.integers("parts", [-1, length]), ...after]);
  keep(source, [{ stack, axis: axis < 0 ? axis - 1 : axis }]);
  return parts.nodes;
};
