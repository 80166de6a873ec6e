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

export const gruKind: Kind = { gates: 3, functions: ["Sigmoid", "Tanh"], states: 1 };

/** Gated recurrent unit: x, W, R, B, sequence_lens, initial_h → y, y_h. ONNX GRU-22. */
export const gRU: Op = {
  inputs: 6,
  attributes: /* @__PURE__ */ recurrentAttributes.concat("linear_before_reset"),
  infer: (node, inputs) => inferRecurrent(node, gruKind, inputs),
  rows: keepsRecurrentRows,
  lower(unit, c) {
    const r = unit.inputs[2]!;
    lowerRecurrent(unit, c, gruKind, numberOf(unit.node, "linear_before_reset", 0), (own) => {
      const { at, form, y, states, starts, z, bias, lengths, options, strides, macs } = own;
      const { rows, hidden } = form;
      const first = at * gruKind.gates * hidden;
      const gates = packedRows(c, r, first, 2 * hidden, hidden);
      const news = packedRows(c, r, first + 2 * hidden, hidden, hidden);
      const biasNew = bias === NONE ? NONE : behind(bias, 2 * hidden * 4);
      const scratch = c.scratch((most) => recurrentScratchBytes(most(rows), hidden, 4));
      const places = [y, states[0]!, NONE, z, gates, news, bias, biasNew, lengths, starts[0]!] as const;
      c.emit("gru", [...places, scratch, options, ...strides], rows, macs);
    });
  },
};

export const gRUTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: { weight: 1, others: [2, 3] },
};
