// Operators over sequences. Where a file names the elements, the nodes that read an element make it, and no sequence is left.

import { tensor } from "../../graph/tensor";
import { Parts } from "./parts";
import type { Conversion, Sequence, Source } from "./source";

/** Elements that a sequence may have: every node that adds one lists them anew. */
const MAX_ELEMENTS = 512;

/** No nodes: those that read an element make it. */
function keep(source: Source, sequence: Sequence) {
  if ((sequence.length ?? 0) > MAX_ELEMENTS)
    throw source.error("its sequence is too long", { expected: `at most MAX_ELEMENTS = ${MAX_ELEMENTS}` });
  source.ignore(...source.inputs);
  source.sequences.set(source.outputs[0] ?? "", sequence);
  return [];
}

const listOf = (source: Source, names: readonly string[]) =>
  keep(source, {
    length: names.length,
    at: (place) => ({ op: "Identity", inputs: [names[place]!], attributes: {} }),
  });

/** The sequence that is the first input. */
function read(source: Source): Sequence {
  const [name = ""] = source.inputs;
  source.ignore(name);
  const sequence = source.sequences.get(name);
  if (sequence) return sequence;
  throw source.error(`the elements of "${name}" are not known`, {
    hint: "Export the model without loops over lists of tensors",
  });
}

/** A number that a constant input is; those below 0 count from a known end. */
function placeOf(source: Source, value: string, length: number | undefined, end = length): number {
  source.ignore(value);
  const given = source.constant(value)?.data[0];
  const place = given !== undefined && given < 0 ? given + (length ?? 0) : given;
  if (place !== undefined && place >= 0 && (end === undefined || place < end)) return place;
  throw source.error("its position does not fit", {
    expected: `a constant below ${end ?? "the end"}`,
    got: `${given ?? "a computed one"}`,
  });
}

function lengthOf(source: Source, { length }: Sequence): number {
  if (length !== undefined) return length;
  throw source.error("its sequence has an unknown length");
}

/** Names of all elements. */
function elementsOf(source: Source, parts: Parts): string[] {
  const sequence = read(source);
  return Array.from({ length: lengthOf(source, sequence) }, (_, i) => {
    const { op, inputs, attributes } = sequence.at(i);
    return op === "Identity" ? inputs[0]! : parts.make(op, `element_${i}`, inputs, attributes);
  });
}

export const sequenceConstruct: Conversion = (source) => listOf(source, source.inputs);

export const sequenceEmpty: Conversion = (source) => {
  source.ignore("dtype");
  return listOf(source, []);
};

export const sequenceInsert: Conversion = (source) => {
  const parts = new Parts(source);
  const elements = elementsOf(source, parts);
  const [, value = "", position = ""] = source.inputs;
  const { length } = elements;
  const place = position === "" ? length : placeOf(source, position, length, length + 1);
  listOf(source, elements.toSpliced(place, 0, value));
  return parts.nodes;
};

export const sequenceAt: Conversion = (source) => {
  const sequence = read(source);
  const { attributes, ...node } = sequence.at(placeOf(source, source.inputs[1] ?? "", sequence.length));
  return [source.node(attributes, node)];
};

export const sequenceLength: Conversion = (source) => {
  const value = lengthOf(source, read(source));
  return [source.node({ shape: [], dtype: "i32", value }, { op: "ConstantOfShape", inputs: [] })];
};

export const concatFromSequence: Conversion = (source) => {
  const parts = new Parts(source);
  const axis = source.int("axis", 0);
  const isStacked = source.int("new_axis", 0) !== 0;
  const elements = elementsOf(source, parts).map((element, i) =>
    isStacked ? parts.make("Unsqueeze", `part_${i}`, [element], { axes: [axis] }) : element,
  );
  return parts.last("Concat", elements, { axis });
};

/** Single elements along an axis. */
export const splitToSequence: Conversion = (source) => {
  const [x = "", lengths = ""] = source.inputs;
  const axis = source.int("axis", 0);
  const isKept = source.int("keepdims", 1) !== 0 || lengths !== "";
  const known = source.constant(lengths);
  if (lengths !== "" && !(known?.shape.length === 0 && known.data[0] === 1))
    throw source.error("its parts are longer than one element, or their lengths are computed", {
      expected: "single elements",
      hint: "Export it with Split, whose lengths are constants",
    });
  return keep(source, {
    at: (place) => {
      const index = tensor("i32", isKept ? [1] : [], [place]);
      return {
        op: "Gather",
        inputs: [x, source.define(`${source.name}_index`, index)],
        attributes: { axis },
      };
    },
  });
};
