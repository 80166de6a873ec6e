// Gradients of recurrent layers: of what each gate's function was given at every step, of which rules make those of inputs, weights and biases,
// and of the first states. The forward pass is run again, to keep what it does not.

import { recurrentScratchBytes } from "../../../assembly/recurrent/sizes";
import { recurrentGradientScratchBytes } from "../../../assembly/train/sizes";
import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, multiplyDims } from "../../graph/symbols";
import { type Address, behind, type Lowering, NONE, numberOf, type Op, type Unit } from "../../ops/op";
import { gruKind } from "../../ops/recurrent/gru";
import { lstmKind } from "../../ops/recurrent/lstm";
import { rnnKind } from "../../ops/recurrent/rnn";
import {
  type Direction,
  formOf,
  inferRecurrent,
  type Kind,
  lowerRecurrent,
  packedRows,
  recurrentAttributes,
  turnedRows,
} from "../../ops/recurrent/sequence";

/** Inputs of the layer that a gradient is given first; those of its outputs follow. */
const layerInputs = ({ states, peepholes }: Kind): number => 5 + states + (peepholes ? 1 : 0);

/** Every step and row, of every direction, in the order of x. */
function inferGradient(
  node: Node,
  kind: Kind,
  inputs: readonly (ValueType | undefined)[],
): readonly ValueType[] {
  const [x, , r] = inputs as readonly ValueType[];
  const { hidden, directions } = formOf(node, kind, x!, r!);
  const [, ...states] = inferRecurrent(
    { ...node, outputs: Array.from({ length: 1 + kind.states }, () => "") },
    kind,
    inputs.slice(0, layerInputs(kind)),
  );
  const each = (width: number): ValueType => ({
    dtype: "f32",
    shape: [directions.length, x!.shape[0]!, x!.shape[1]!, width],
  });
  return [each(kind.gates * hidden), each(hidden), ...states, each(hidden)].slice(0, node.outputs.length);
}

/** What the kernels of one direction are given beside what forward ones are. */
interface Back extends Direction {
  /** Gates, which become gradients. */
  readonly dz: Address;
  readonly before: Address;
  /** Gradients of the first states, and of y and the last states. */
  readonly dStates: readonly Address[];
  readonly dy: Address | typeof NONE;
  readonly dLast: readonly (Address | typeof NONE)[];
  /** Numbers of a state for every step and row. */
  readonly kept: () => Address;
}

/** Lowers the gradient of a layer, direction by direction. */
function lowerGradient(
  unit: Unit,
  c: Lowering,
  kind: Kind,
  variant: number,
  emit: (back: Back) => void,
): void {
  const { node, inputs, outputs } = unit;
  const own = inputs.slice(0, layerInputs(kind));
  const given = inputs.slice(layerInputs(kind));
  const [dz, before, ...dStates] = outputs.slice(0, 2 + kind.states).map((output) => c.output(output!));
  const optional = (value: string | undefined) => (value ? c.input(value) : NONE);
  const shifted = (at: Address | typeof NONE, elements: Dim) =>
    at === NONE ? NONE : behind(at, multiplyDims(elements, 4));
  const { hidden } = formOf(node, kind, c.type(inputs[0]!), c.type(inputs[2]!));
  const all = countOf(c.type(inputs[0]!).shape.slice(0, 2));
  const part = (place: Address, at: number, width: number) =>
    behind(place, multiplyDims(all, at * width * 4));
  const [dy, ...dLast] = given;
  lowerRecurrent(
    { ...unit, inputs: own, outputs: [] },
    c,
    kind,
    variant,
    (direction) => {
      const { at, offset } = direction;
      emit({
        ...direction,
        dz: direction.z,
        before: part(before!, at, hidden),
        dStates: dStates.map((state) => behind(state, multiplyDims(offset, 4))),
        dy: shifted(optional(dy), offset),
        dLast: dStates.map((_, i) => shifted(optional(dLast[i]), offset)),
        kept: () => c.temporary(multiplyDims(all, hidden * 4)),
      });
    },
    (at) => part(dz!, at, kind.gates * hidden),
  );
}

/** (what LSTM has, dy, dy_h, dy_c) → dz, h in front of each step, d initial_h, d initial_c. */
export const lSTMGradient: Op = {
  inputs: 11,
  attributes: /* @__PURE__ */ recurrentAttributes.concat("input_forget", "cell_clip"),
  infer: (node, inputs) => inferGradient(node, lstmKind, inputs),
  lower(unit, c) {
    const [r, peepholes = ""] = [unit.inputs[2]!, unit.inputs[7]];
    lowerGradient(unit, c, lstmKind, numberOf(unit.node, "input_forget", 0), (own) => {
      const { at, form, states, starts, dz, before, dStates, dy, dLast, bias, lengths, sizes } = own;
      const { rows, hidden } = form;
      const n = 4 * hidden;
      const p = peepholes === "" ? NONE : behind(c.input(peepholes), at * 3 * hidden * 4);
      const cells = own.kept();
      const scratch = c.scratch((most) => recurrentScratchBytes(most(rows), hidden, 4));
      const packed = packedRows(c, r, at * n, n, hidden);
      const forward = [NONE, states[0]!, states[1]!, cells, dz, packed, bias, p, lengths] as const;
      c.emit("lstm", [...forward, starts[0]!, starts[1]!, scratch, ...sizes], rows, own.macs);
      const turned = turnedRows(c, r, at * n, n, hidden);
      const room = c.scratch((most) => recurrentGradientScratchBytes(most(rows), hidden, 5, n));
      const made = [dz, before, dStates[0]!, dStates[1]!, dy, dLast[0]!, dLast[1]!, cells, turned] as const;
      const read = [p, lengths, starts[0]!, starts[1]!, room, ...sizes] as const;
      c.emit("lstmGradient", [...made, ...read], rows, own.macs);
    });
  },
};

/** (what GRU has, dy, dy_h) → dz, h in front of each step, d initial_h, and what the candidate's recurrent weights are multiplied with or given. */
export const gRUGradient: Op = {
  inputs: 8,
  attributes: /* @__PURE__ */ recurrentAttributes.concat("linear_before_reset"),
  infer: (node, inputs) => inferGradient(node, gruKind, inputs),
  lower(unit, c) {
    const r = unit.inputs[2]!;
    const saved = c.output(unit.outputs[3]!);
    const all = countOf(c.type(unit.inputs[0]!).shape.slice(0, 2));
    lowerGradient(unit, c, gruKind, numberOf(unit.node, "linear_before_reset", 0), (own) => {
      const { at, form, states, starts, dz, before, dStates, dy, dLast, bias, lengths, sizes } = own;
      const { rows, hidden } = form;
      const first = at * 3 * hidden;
      const gates = packedRows(c, r, first, 2 * hidden, hidden);
      const news = packedRows(c, r, first + 2 * hidden, hidden, hidden);
      const kept = behind(saved, multiplyDims(all, at * hidden * 4));
      const y = own.kept();
      const scratch = c.scratch((most) => recurrentScratchBytes(most(rows), hidden, 4));
      const forward = [y, states[0]!, kept, dz, gates, news, bias, lengths, starts[0]!] as const;
      c.emit("gru", [...forward, scratch, ...own.keptSizes()], rows, own.macs);
      const turned = turnedRows(c, r, first, 2 * hidden, hidden);
      const turnedNews = turnedRows(c, r, first + 2 * hidden, hidden, hidden);
      const room = c.scratch((most) => recurrentGradientScratchBytes(most(rows), hidden, 4, 2 * hidden));
      const made = [dz, kept, before, dStates[0]!, dy, dLast[0]!, y, turned, turnedNews] as const;
      c.emit("gruGradient", [...made, lengths, starts[0]!, room, ...sizes], rows, own.macs);
    });
  },
};

/** (what RNN has, dy, dy_h) → dz, h in front of each step, d initial_h. */
export const rNNGradient: Op = {
  inputs: 8,
  attributes: recurrentAttributes,
  infer: (node, inputs) => inferGradient(node, rnnKind, inputs),
  lower(unit, c) {
    const r = unit.inputs[2]!;
    lowerGradient(unit, c, rnnKind, 0, (own) => {
      const { at, form, states, starts, dz, before, dStates, dy, dLast, bias, lengths, sizes } = own;
      const { rows, hidden } = form;
      const y = own.kept();
      const scratch = c.scratch((most) => recurrentScratchBytes(most(rows), hidden, 1));
      const packed = packedRows(c, r, at * hidden, hidden, hidden);
      const forward = [y, states[0]!, dz, packed, bias, lengths, starts[0]!, scratch] as const;
      c.emit("rnn", [...forward, ...own.keptSizes()], rows, own.macs);
      const turned = turnedRows(c, r, at * hidden, hidden, hidden);
      const room = c.scratch((most) => recurrentGradientScratchBytes(most(rows), hidden, 2, hidden));
      const made = [dz, before, dStates[0]!, dy, dLast[0]!, y, turned, lengths] as const;
      c.emit("rnnGradient", [...made, starts[0]!, room, ...sizes], rows);
    });
  },
};
