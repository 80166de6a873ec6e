import { recurrentInt8ScratchBytes, recurrentScratchBytes } from "../../../assembly/recurrent/sizes";
import type { Lowering, Op, Traits, Unit } from "../op";
import {
  inferRecurrent,
  type Kind,
  keepsRecurrentRows,
  lowerRecurrent,
  packedRows,
  recurrentAttributes,
} from "./sequence";

export const rnnKind: Kind = { gates: 1, functions: ["Tanh"], states: 1 };

function lower(unit: Unit, c: Lowering): void {
  lowerRecurrent(unit, c, rnnKind, 0, (own) => {
    const { at, form, y, states, starts, z, bias, lengths, sizes, macs, codes } = own;
    const { rows, hidden } = form;
    const places = [y, states[0]!, z] as const;
    if (codes) {
      const scratch = c.scratch((most) => recurrentInt8ScratchBytes(most(rows), hidden, rnnKind.gates));
      const operands = [...places, ...codes.weights(0, hidden), bias, lengths, starts[0]!] as const;
      return c.emit("rnnInt8", [...operands, scratch, ...sizes], codes.groups, macs);
    }
    const packed = packedRows(c, unit.inputs[2]!, at * hidden, hidden, hidden);
    const scratch = c.scratch((most) => recurrentScratchBytes(most(rows), hidden, rnnKind.gates));
    c.emit("rnn", [...places, packed, bias, lengths, starts[0]!, scratch, ...sizes], rows, macs);
  });
}

/** Recurrent layer without gates: x, W, R, B, sequence_lens, initial_h → y, y_h. ONNX RNN-22; over codes as LSTM. */
export const rNN: Op = {
  inputs: 6,
  attributes: recurrentAttributes,
  infer: (node, inputs) => inferRecurrent(node, rnnKind, inputs),
  rows: keepsRecurrentRows,
  lower,
  lowerInteger: lower,
};

export const rNNTraits: Traits = {
  codes: "recurrence",
  weights: [1, 2],
  homogeneous: undefined,
  trained: { weight: 1, others: [2, 3] },
  equal: (_, [x, w]) => [[x![2], w![2]]],
};
