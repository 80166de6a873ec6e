import { recurrentScratchBytes } from "../../../assembly/recurrent/sizes";
import { behind, NONE, numberOf, type Op, type Traits } from "../op";
import {
  inferRecurrent,
  type Kind,
  keepsRecurrentRows,
  lowerRecurrent,
  packedRows,
  recurrentAttributes,
} from "./sequence";

export const lstmKind: Kind = { gates: 4, functions: ["Sigmoid", "Tanh", "Tanh"], states: 2, peepholes: 3 };

/**
 * Long short-term memory: x, W, R, B, sequence_lens, initial_h, initial_c, P → y, y_h, y_c. ONNX LSTM-22; with `cell_clip`, Octette's own, every new c
 * is within ±cell_clip.
 */
export const lSTM: Op = {
  inputs: 8,
  attributes: /* @__PURE__ */ recurrentAttributes.concat("input_forget", "cell_clip"),
  infer: (node, inputs) => inferRecurrent(node, lstmKind, inputs),
  rows: keepsRecurrentRows,
  lower(unit, c) {
    const { node, inputs } = unit;
    const [r, peepholes = ""] = [inputs[2]!, inputs[7]];
    lowerRecurrent(unit, c, lstmKind, numberOf(node, "input_forget", 0), (own) => {
      const { at, form, y, states, starts, z, bias, lengths, options, strides, macs } = own;
      const { rows, hidden } = form;
      const n = lstmKind.gates * hidden;
      const packed = packedRows(c, r, at * n, n, hidden);
      const p = peepholes === "" ? NONE : behind(c.input(peepholes), at * 3 * hidden * 4);
      const scratch = c.scratch((most) => recurrentScratchBytes(most(rows), hidden, lstmKind.gates));
      const places = [y, states[0]!, states[1]!, NONE, z, packed, bias, p, lengths] as const;
      const more = [starts[0]!, starts[1]!, scratch, options] as const;
      c.emit("lstm", [...places, ...more, ...strides], rows, macs);
    });
  },
};

export const lSTMTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: { weight: 1, others: [2, 3] },
};
