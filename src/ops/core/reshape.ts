// Reshape: the same elements in the same order under another shape. No kernel: the output is the input's memory.
// What all ops of this kind share (Flatten, Squeeze, Unsqueeze) is here too.

import type { Node, ValueType } from "../../graph/graph";
import {
  countOf,
  type Dim,
  divideDims,
  floorDims,
  formatShape,
  multiplyDims,
  type Shape,
  subtractDims,
} from "../../graph/symbols";
import { dimsOf, missing } from "../axes";
import { requireSameCodes } from "../copy";
import { needEqual } from "../equal";
import { numericShape } from "../known";
import { flatChannels } from "../layout";
import {
  type Batched,
  extend,
  inputType,
  type Known,
  type Layout,
  type Layouts,
  type Lowering,
  numberOf,
  type Op,
  opError,
  type Traits,
  type Unit,
} from "../op";

/** Attribute `shape` with 0 (the input's dimension, unless `allowzero`) and −1 (the remaining elements) worked out. */
export function resolve(node: Node, from: Shape, wanted: readonly Dim[]): Dim[] {
  const allowZero = numberOf(node, "allowzero", 0) !== 0;
  const shape = wanted.map((dim, i) => {
    if (dim !== 0 || allowZero) return dim;
    if (i < from.length) return from[i]!;
    throw opError(node, "shape copies a dimension the input does not have", {
      expected: `0 only at the first ${from.length} places`,
      got: formatShape(wanted),
    });
  });
  const mismatch = () =>
    opError(node, "the number of elements changes", {
      expected: `${countOf(from)} elements as in ${formatShape(from)}`,
      got: formatShape(wanted),
    });
  const isOfSymbols = [...shape, ...from].some((dim) => typeof dim === "string");
  const open = shape.indexOf(-1);
  if (open < 0) {
    if (!isOfSymbols && countOf(shape) !== countOf(from)) throw mismatch();
    return shape;
  }
  if (shape.lastIndexOf(-1) !== open || shape.some((dim) => typeof dim === "number" && dim < -1))
    throw opError(node, "shape is not a shape", { expected: "at most one −1", got: formatShape(wanted) });
  const rest = shape.reduce<Dim>((n, dim, i) => (i === open ? n : multiplyDims(n, dim)), 1);
  const left = divideDims(countOf(from), rest);
  // Beside a size of 0, −1 could be anything.
  if (left === undefined && (!isOfSymbols || rest === 0)) throw mismatch();
  shape[open] = left ?? floorDims(countOf(from), rest);
  return shape;
}

/** Types for an op whose output has the input's elements and dtype. */
export const retype = (x: ValueType, shape: Shape): ValueType[] => [{ dtype: x.dtype, shape }];

/** The same elements under the shape that `infer` finds. */
// @__NO_SIDE_EFFECTS__
export function reshapeKnown(infer: Op["infer"]): NonNullable<Op["evaluate"]> {
  return (node, [x], [type]) => {
    const shape = x && type && numericShape(infer(node, [type])[0]!.shape);
    return shape && [{ dtype: x.dtype, shape, data: x.data } satisfies Known];
  };
}

/**
 * Layouts between which a reshape moves nothing: a channels-last map flattened is `flat:C`, and back; a map of one
 * pixel or one channel is plain as it lies. Any other reshape reads and makes plain values.
 */
export function reshapeLayouts(input: Layout, from: Shape, to: Shape): Layouts {
  const [rows, channels, ...spatial] = from;
  if (input === "channelsLast" && from.length > 2) {
    const pixels = countOf(spatial);
    if (pixels === 1 || channels === 1) return { inputs: [input], outputs: ["plain"] };
    if (sameShape(from, to)) return { inputs: [input], outputs: [input] };
    if (typeof channels === "number" && sameShape(to, [rows!, multiplyDims(channels, pixels)]))
      return { inputs: [input], outputs: [`flat:${channels}`] };
  }
  const flat = flatChannels(input);
  if (flat !== undefined) {
    if (sameShape(from, to)) return { inputs: [input], outputs: [input] };
    if (to.length > 2 && to[0] === rows && to[1] === flat)
      return { inputs: [input], outputs: ["channelsLast"] };
  }
  return { inputs: ["plain"], outputs: ["plain"] };
}

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((dim, i) => dim === b[i]);

/** Lowering of an op whose output is its input seen otherwise. */
export function lowerAlias({ inputs, outputs }: Unit, c: Lowering): void {
  const [from, to] = [c.type(inputs[0]!).shape, c.type(outputs[0]!).shape];
  needEqual(c, countOf(from), countOf(to));
  c.alias(outputs[0]!, inputs[0]!);
}

/** As `lowerAlias`, over codes. */
export function lowerAliasOfCodes(unit: Unit, c: Lowering): void {
  requireSameCodes(unit);
  lowerAlias(unit, c);
}

/** An op whose output is its input seen otherwise. */
// @__NO_SIDE_EFFECTS__
export function reshaping(infer: Op["infer"], reads: Pick<Op, "inputs" | "attributes" | "parameters">): Op {
  return {
    ...reads,
    infer,
    evaluate: reshapeKnown(infer),
    /** The dimensions outside of a row stay. */
    rows: (_, [x], [y]) => before(x!) === before(y!),
    layout: (node, [layout = "plain"], types) =>
      reshapeLayouts(layout, inputType(node, types, 0).shape, infer(node, types)[0]!.shape),
    lower: lowerAlias,
    lowerInteger: lowerAliasOfCodes,
    moves: true,
  };
}

const before = ({ shape, axis }: Batched): Dim => countOf(shape.slice(0, axis));

const infer: Op["infer"] = (node, inputs) => {
  const x = inputType(node, inputs, 0);
  const shape = dimsOf(node, "shape");
  if (!shape) throw missing(node, "shape");
  return retype(x, resolve(node, x.shape, shape));
};

const ofAttribute = reshaping(infer, { inputs: 2, attributes: ["allowzero"], parameters: { 1: "shape" } });

/**
 * Sizes that are not below 0 where a symbol of the shape that is 0 leaves the shape as it is told. 0 stands for the input's dimension (or is
 * no size beside −1). Without −1 it takes two that are 0 to make another shape of as many elements.
 */
function natural(node: Node, [from = []]: readonly Shape[]): readonly Dim[] {
  const wanted = dimsOf(node, "shape") ?? [];
  const isOpen = wanted.includes(-1);
  const isStill = numberOf(node, "allowzero", 0) !== 0;
  const symbolic = wanted.filter((dim) => typeof dim === "string");
  if ((isStill && !isOpen) || symbolic.length < (isOpen ? 1 : 2)) return [];
  return wanted.flatMap((dim, i) => {
    const own = isStill ? undefined : from[i];
    if (typeof dim === "number") return [];
    if (own === undefined) return [subtractDims(dim, 1)];
    const isBoth0 = divideDims(own, dim) !== undefined || typeof divideDims(dim, own) === "number";
    return isBoth0 ? [] : [multiplyDims(own, subtractDims(dim, 1))];
  });
}

export const reshape: Op = extend(ofAttribute, { open: [1], reshapes: true });

export const reshapeTraits: Traits = {
  codes: "moves",
  homogeneous: undefined,
  trained: undefined,
  reshapes: true,
  natural,
};
