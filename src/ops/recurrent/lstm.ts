import { recurrentInt8ScratchBytes, recurrentScratchBytes } from "../../../assembly/recurrent/sizes";
import { behind, type Lowering, NONE, numberOf, type Op, type Traits, type Unit } from "../op";
import {
  inferRecurrent,
  type Kind,
  keepsRecurrentRows,
  lowerRecurrent,
  packedRows,
  recurrentAttributes,
} from "./sequence";

export const lstmKind: Kind = { gates: 4, functions: ["Sigmoid", "Tanh", "Tanh"], states: 2, peepholes: 3 };

function lower(unit: Unit, c: Lowering): void {
  const { node, inputs } = unit;
  const [r, peepholes = ""] = [inputs[2]!, inputs[7]];
  lowerRecurrent(unit, c, lstmKind, numberOf(node, "input_forget", 0), (own) => {
    const { at, form, y, states, starts, z, bias, lengths, sizes, macs, codes } = own;
    const { rows, hidden } = form;
    const n = lstmKind.gates * hidden;
    const p = peepholes === "" ? NONE : behind(c.input(peepholes), at * 3 * hidden * 4);
    const places = [y, states[0]!, states[1]!, NONE, z] as const;
    const more = [bias, p, lengths, starts[0]!, starts[1]!] as const;
    if (codes) {
      const scratch = c.scratch((most) => recurrentInt8ScratchBytes(most(rows), hidden, lstmKind.gates));
      const operands = [...places, ...codes.weights(0, n), ...more, scratch, ...sizes] as const;
      return c.emit("lstmInt8", operands, codes.groups, macs);
    }
    const packed = packedRows(c, r, at * n, n, hidden);
    const scratch = c.scratch((most) => recurrentScratchBytes(most(rows), hidden, lstmKind.gates));
    c.emit("lstm", [...places, packed, ...more, scratch, ...sizes], rows, macs);
  });
}

/**
 * Long short-term memory: x, W, R, B, sequence_lens, initial_h, initial_c, P → y, y_h, y_c. ONNX LSTM-22; with `cell_clip`, Octette's own, every new c
 * is within ±cell_clip. Over codes of x, W and R, states become codes by their range in each row or, with `state_range` "batch", in all rows.
 */
export const lSTM: Op = {
  inputs: 8,
  attributes: /* @__PURE__ */ recurrentAttributes.concat("input_forget", "cell_clip"),
  infer: (node, inputs) => inferRecurrent(node, lstmKind, inputs),
  rows: keepsRecurrentRows,
  lower,
  lowerInteger: lower,
};

export const lSTMTraits: Traits = {
  codes: "recurrence",
  weights: [1, 2],
  homogeneous: undefined,
  trained: { weight: 1, others: [2, 3] },
  equal: (_, [x, w]) => [[x![2], w![2]]],
};
