// What LSTM, GRU and RNN have in common: x·Wᵀ of all steps is one product, then a kernel goes through the steps.

import { gemmScratchBytes, packedBytes } from "../../../assembly/f32/sizes";
import { Recurrence } from "../../../assembly/recurrent/sizes";
import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, formatShape, multiplyDims, type Shape } from "../../graph/symbols";
import { mayBeSame, needSame } from "../equal";
import {
  type Address,
  behind,
  floatType,
  type Lowering,
  NONE,
  numberOf,
  type Op,
  opError,
  stringOf,
  type Unit,
} from "../op";
import { Prepared } from "../prepared";
import { CodedLayer, type CodedRows, isShared } from "./coded";
import { type Activation, functionsOf } from "./functions";

/** What a layer of this kind has. */
export interface Kind {
  /** States' worth of numbers that x·Wᵀ has for each row. */
  readonly gates: number;
  /** Functions of a direction where a node names none. */
  readonly functions: readonly string[];
  /** Inputs behind sequence_lens that hold states. */
  readonly states: number;
  /** Numbers of the peepholes, in states. */
  readonly peepholes?: number;
}

/** Attributes that every kind has. */
export const recurrentAttributes: readonly string[] = [
  "activation_alpha",
  "activation_beta",
  "activations",
  "clip",
  "direction",
  "hidden_size",
  "layout",
  "state_range",
];

export interface Form {
  readonly steps: Dim;
  readonly rows: Dim;
  /** Numbers of an input. */
  readonly depth: number;
  readonly hidden: number;
  /** Whether each direction goes from the last step to the first. */
  readonly directions: readonly boolean[];
  /** Rows lie outside of steps. */
  readonly isBatchFirst: boolean;
}

const directionsOf: Readonly<Record<string, readonly boolean[]>> = {
  forward: [false],
  reverse: [true],
  bidirectional: [false, true],
};

/** The form of a layer over x with recurrent weights r. */
export function formOf(node: Node, { gates }: Kind, x: ValueType, r: ValueType): Form {
  const direction = stringOf(node, "direction", "forward");
  const layout = numberOf(node, "layout", 0);
  if (!Object.hasOwn(directionsOf, direction) || (layout !== 0 && layout !== 1))
    throw opError(node, "direction or layout is unknown", {
      expected: `${Object.keys(directionsOf).join(", ")}; 0 or 1`,
      got: `${direction}; ${layout}`,
    });
  const [depth, hidden] = [x.shape[2], r.shape[2]];
  if (
    x.shape.length !== 3 ||
    r.shape.length !== 3 ||
    typeof depth !== "number" ||
    typeof hidden !== "number" ||
    numberOf(node, "hidden_size", hidden) !== hidden
  )
    throw opError(node, "input or recurrent weights do not fit", {
      expected: `[steps, batch, inputs] and [directions, ${gates}·hidden, hidden], sizes but the first two known`,
      got: `${formatShape(x.shape)} and ${formatShape(r.shape)}`,
    });
  const [outer, inner] = x.shape as [Dim, Dim];
  const [steps, rows] = layout === 0 ? [outer, inner] : [inner, outer];
  return { steps, rows, depth, hidden, directions: directionsOf[direction]!, isBatchFirst: layout === 1 };
}

/** Shape of one state a row and direction. */
const stateShape = ({ directions: { length }, rows, hidden, isBatchFirst }: Form): Shape =>
  isBatchFirst ? [rows, length, hidden] : [length, rows, hidden];

/** Shapes of the inputs after x: weights, biases, lengths, states and peepholes. */
function shapesOf({ gates, states, peepholes = 0 }: Kind, form: Form): readonly Shape[] {
  const { directions, depth, hidden, rows } = form;
  const [{ length }, n] = [directions, gates * hidden];
  const first = Array.from({ length: states }, () => stateShape(form));
  return [
    [length, n, depth],
    [length, n, hidden],
    [length, 2 * n],
    [rows],
    ...first,
    [length, peepholes * hidden],
  ];
}

/** Types of the results of all steps, and of the last states. */
export function inferRecurrent(
  node: Node,
  kind: Kind,
  inputs: readonly (ValueType | undefined)[],
): readonly ValueType[] {
  const [x, , r] = [0, 1, 2].map((i) => floatType(node, inputs, i)) as [ValueType, ValueType, ValueType];
  const form = formOf(node, kind, x, r);
  const { steps, rows, hidden, isBatchFirst } = form;
  const { length } = form.directions;
  for (const [at, expected] of shapesOf(kind, form).entries()) {
    const [i, dtype] = [at + 1, at === 3 ? "i32" : "f32"];
    const type = inputs[i];
    if (!type || (type.dtype === dtype && mayBeSame(type.shape, expected))) continue;
    throw opError(node, `input ${i} does not fit`, {
      expected: `${dtype} ${formatShape(expected)}`,
      got: `${type.dtype} ${formatShape(type.shape)}`,
    });
  }
  const state = stateShape(form);
  functionsOf(node, kind.functions, length);
  if (isShared({ node }) && isBatchFirst)
    throw opError(node, "states share a range in layout 0 only", { expected: "state_range row" });
  const y = isBatchFirst ? [rows, steps, length, hidden] : [steps, length, rows, hidden];
  const states = Array.from({ length: kind.states }, (): ValueType => ({ dtype: "f32", shape: state }));
  return [{ dtype: "f32" as const, shape: y }, ...states].slice(0, Math.max(1, node.outputs.length));
}

/** Steps meet, rows do not, unless their states share a range. */
export const keepsRecurrentRows: NonNullable<Op["rows"]> = (node, [x], outputs) => {
  const isBatchFirst = numberOf(node, "layout", 0) === 1;
  if (isShared({ node }) || x!.axis !== (isBatchFirst ? 0 : 1)) return false;
  return outputs.every(({ shape, axis }) => shape[axis] === x!.shape[x!.axis]);
};

/** A struct's fields in memory, in its order. */
function recurrenceWords(fields: Partial<Recurrence>): Float32Array {
  return Float32Array.from(Object.values(Object.assign(new Recurrence(), fields)));
}

/** How a direction of a layer goes over its steps. */
function recurrenceOf(
  node: Node,
  { gates }: Kind,
  { hidden, directions, isBatchFirst }: Form,
  reverse: boolean,
  [f, g, h]: readonly Activation[],
): Partial<Recurrence> {
  const [clip, cellClip] = [numberOf(node, "clip", 0), numberOf(node, "cell_clip", 0)];
  return {
    hidden,
    gates,
    directions: directions.length,
    isBatchFirst: isBatchFirst ? 1 : 0,
    reverse: reverse ? 1 : 0,
    clip: clip > 0 ? clip : Infinity,
    cellClip: cellClip > 0 ? cellClip : Infinity,
    isShared: isShared({ node }) ? 1 : 0,
    ...(f && { f: f.kind, fAlpha: f.alpha, fBeta: f.beta }),
    ...(g && { g: g.kind, gAlpha: g.alpha, gBeta: g.beta }),
    ...(h && { h: h.kind, hAlpha: h.alpha, hBeta: h.beta }),
  };
}

/** Rows `from` on of the matrices in a value [directions, n, k], packed. */
export function packedRows(c: Lowering, value: string, from: number, n: number, k: number): Address {
  const part = { from: from * k * 4, bytes: n * k * 4 };
  const pack = () => {
    const rows = new Prepared(c, value, part);
    const packed = rows.made(packedBytes(n, k));
    rows.run("packWeights", [packed, rows.source, n, 1, k, k, 0, 1]);
    return packed;
  };
  return c.constant(value) ? c.once(`recurrent ${part.from} ${part.bytes} ${value}`, pack) : pack();
}

/** The same rows, turned: of k outputs over n. */
export function turnedRows(c: Lowering, value: string, from: number, n: number, k: number): Address {
  const rows = new Prepared(c, value, { from: from * k * 4, bytes: n * k * 4 });
  const packed = rows.made(packedBytes(k, n));
  rows.run("packWeights", [packed, rows.source, k, 1, n, 1, 0, k]);
  return packed;
}

/** The last operands of every kernel. */
export type Sizes = readonly [options: Address, steps: Dim, rows: Dim];

/** What a kernel is given for one direction. */
export interface Direction {
  /** Its number. */
  readonly at: number;
  /** Elements in front of its first ones in y, and in states. */
  readonly offset: Dim;
  readonly form: Form;
  readonly y: Address | typeof NONE;
  /** Where each state is kept, and where it starts. */
  readonly states: readonly Address[];
  readonly starts: readonly (Address | typeof NONE)[];
  readonly z: Address;
  /** Bias of the recurrent product. */
  readonly bias: Address | typeof NONE;
  readonly lengths: Address | typeof NONE;
  /** How it goes over its steps, and how many there are of how many rows. */
  readonly sizes: Sizes;
  /** The same with results where gates lie, for gradients. */
  readonly keptSizes: () => Sizes;
  readonly macs: Dim;
  /** Present where weights are codes. */
  readonly codes?: States;
}

/** States that kernels round to codes. */
export interface States {
  /** Rows of the direction's recurrent weights, the first of which is `from`. */
  weights(from: number, n: number): CodedRows;
  /** Groups of rows whose states share a range. */
  readonly groups: Dim;
}

/** Lowers a layer, direction by direction. */
export function lowerRecurrent(
  unit: Unit,
  c: Lowering,
  kind: Kind,
  variant: number,
  emit: (direction: Direction) => void,
  /** Where x·Wᵀ of a direction goes; room of its own where it is left out. */
  placeOf: (at: number) => Address | undefined = () => undefined,
): void {
  const { node, inputs, outputs } = unit;
  const coded = unit.integer && new CodedLayer(unit, c);
  const [x, w, r, b = "", lengths = "", ...others] = inputs as [string, string, string, ...string[]];
  const form = formOf(node, kind, c.type(x), c.type(r));
  const { steps, rows, depth, hidden, directions, isBatchFirst } = form;
  const n = kind.gates * hidden;
  const all = multiplyDims(steps, rows);
  const optional = (value: string | undefined) => (value ? c.input(value) : NONE);
  const shifted = (at: Address | typeof NONE, elements: Dim) =>
    at === NONE ? NONE : behind(at, multiplyDims(elements, 4));
  const stateBytes = countOf([...stateShape(form), 4]);
  const kept = Array.from({ length: kind.states }, (_, i) =>
    outputs[1 + i] ? c.output(outputs[1 + i]!) : c.temporary(stateBytes),
  );
  const y = outputs[0] ? c.output(outputs[0]) : NONE;
  const functions = functionsOf(node, kind.functions, directions.length);
  for (const [i, shape] of shapesOf(kind, form).entries())
    if (inputs[1 + i]) needSame(c, c.type(inputs[1 + i]!).shape, shape);
  const isOne = c.isOne(rows);
  for (const [at, reverse] of directions.entries()) {
    const z = placeOf(at) ?? c.temporary(multiplyDims(all, n * 4));
    const bias = optional(b);
    const inputBias = shifted(bias, at * 2 * n);
    if (coded) coded.multiply(z, all, at * n, n, inputBias);
    else {
      const scratch = c.scratch((most) => gemmScratchBytes(most(all), depth));
      const packed = packedRows(c, w, at * n, n, depth);
      const operands = [c.input(x), depth, packed, inputBias, scratch] as const;
      c.emit("gemm", [z, n, ...operands, n, depth, -Infinity, Infinity], all, multiplyDims(all, n * depth));
    }
    const own = multiplyDims(at * hidden, isBatchFirst ? 1 : rows);
    const how = {
      ...recurrenceOf(node, kind, form, reverse, functions[at]!),
      variant,
      isBeside: isOne ? 1 : 0,
    };
    const sizes = (more?: Partial<Recurrence>) =>
      [c.data(recurrenceWords({ ...how, ...more })), steps, rows] as const;
    emit({
      at,
      offset: own,
      form,
      y: shifted(y, own),
      states: kept.map((state) => behind(state, multiplyDims(own, 4))),
      starts: kept.map((_, i) => shifted(optional(others[i]), own)),
      z,
      bias: shifted(bias, at * 2 * n + n),
      lengths: optional(lengths),
      sizes: sizes(),
      keptSizes: () => sizes({ isKept: 1 }),
      macs: multiplyDims(all, n * hidden),
      ...(coded && {
        codes: {
          weights: (from: number, count: number) => coded.rows(2, at * n + from, count, isOne),
          groups: isShared(unit) ? 1 : rows,
        },
      }),
    });
  }
}
