import { recurrentInt8ScratchBytes, recurrentScratchBytes } from "../../../assembly/recurrent/sizes";
import { type Lowering, NONE, numberOf, type Op, type Traits, type Unit } from "../op";
import {
  inferRecurrent,
  type Kind,
  keepsRecurrentRows,
  lowerRecurrent,
  packedRows,
  recurrentAttributes,
} from "./sequence";

export const gruKind: Kind = { gates: 3, functions: ["Sigmoid", "Tanh"], states: 1 };

function lower(unit: Unit, c: Lowering): void {
  const r = unit.inputs[2]!;
  lowerRecurrent(unit, c, gruKind, numberOf(unit.node, "linear_before_reset", 0), (own) => {
    const { at, form, y, states, starts, z, bias, lengths, sizes, macs, codes } = own;
    const { rows, hidden } = form;
    const places = [y, states[0]!, NONE, z] as const;
    if (codes) {
      const gates = codes.weights(0, 2 * hidden);
      const news = codes.weights(2 * hidden, hidden);
      const scratch = c.scratch((most) => recurrentInt8ScratchBytes(most(rows), hidden, 4));
      const operands = [...places, ...gates, ...news, bias, lengths, starts[0]!, scratch, ...sizes] as const;
      return c.emit("gruInt8", operands, codes.groups, macs);
    }
    const first = at * gruKind.gates * hidden;
    const gates = packedRows(c, r, first, 2 * hidden, hidden);
    const news = packedRows(c, r, first + 2 * hidden, hidden, hidden);
    const scratch = c.scratch((most) => recurrentScratchBytes(most(rows), hidden, 4));
    c.emit("gru", [...places, gates, news, bias, lengths, starts[0]!, scratch, ...sizes], rows, macs);
  });
}

/** Gated recurrent unit: x, W, R, B, sequence_lens, initial_h → y, y_h. ONNX GRU-22; over codes as LSTM. */
export const gRU: Op = {
  inputs: 6,
  attributes: /* @__PURE__ */ recurrentAttributes.concat("linear_before_reset"),
  infer: (node, inputs) => inferRecurrent(node, gruKind, inputs),
  rows: keepsRecurrentRows,
  lower,
  lowerInteger: lower,
};

export const gRUTraits: Traits = {
  codes: "recurrence",
  weights: [1, 2],
  homogeneous: undefined,
  trained: { weight: 1, others: [2, 3] },
  equal: (_, [x, w]) => [[x![2], w![2]]],
};
