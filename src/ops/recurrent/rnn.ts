import { recurrentScratchBytes } from "../../../assembly/recurrent/sizes";
import type { Op, Traits } from "../op";
import {
  inferRecurrent,
  type Kind,
  keepsRecurrentRows,
  lowerRecurrent,
  packedRows,
  recurrentAttributes,
} from "./sequence";

export const rnnKind: Kind = { gates: 1, functions: ["Tanh"], states: 1 };

/** Recurrent layer without gates: x, W, R, B, sequence_lens, initial_h → y, y_h. ONNX RNN-22. */
export const rNN: Op = {
  inputs: 6,
  attributes: recurrentAttributes,
  infer: (node, inputs) => inferRecurrent(node, rnnKind, inputs),
  rows: keepsRecurrentRows,
  lower(unit, c) {
    lowerRecurrent(unit, c, rnnKind, 0, (own) => {
      const { at, form, y, states, starts, z, bias, lengths, options, strides, macs } = own;
      const { rows, hidden } = form;
      const packed = packedRows(c, unit.inputs[2]!, at * hidden, hidden, hidden);
      const scratch = c.scratch((most) => recurrentScratchBytes(most(rows), hidden, rnnKind.gates));
      const places = [y, states[0]!, z, packed, bias, lengths, starts[0]!, scratch, options] as const;
      c.emit("rnn", [...places, ...strides], rows, macs);
    });
  },
};

export const rNNTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: { weight: 1, others: [2, 3] },
};
