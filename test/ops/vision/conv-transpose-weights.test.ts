import { tensor } from "../../../src/graph/tensor";
import { need, numberAttribute, type Operator } from "../../reference/node";
import { constant, testOp } from "../test-op";

/** Element [o, i, tap] of a group is element [i, o, tap] of what is given. */
const operator: Operator = (node, inputs) => {
  const w = need(node, inputs, 0);
  const [channels = 0, outputs = 0, ...kernel] = w.shape;
  const groups = numberAttribute(node, "group", 1);
  const taps = kernel.reduce((a, b) => a * b, 1);
  const each = channels / groups;
  const y = tensor(w.dtype, [groups * outputs, each, ...kernel], []);
  for (let o = 0; o < groups * outputs; o++)
    for (let i = 0; i < each; i++)
      for (let tap = 0; tap < taps; tap++) {
        const row = Math.floor(o / outputs) * each + i;
        y.data[(o * each + i) * taps + tap] = w.data[(row * outputs + (o % outputs)) * taps + tap]!;
      }
  return y;
};

testOp("ConvTransposeWeights", {
  oracle: { operator },
  cases: [
    { inputs: [constant([3, 4, 2, 3])], known: "only" },
    { inputs: [constant([6, 2, 3])], attributes: { group: 2 }, known: "only" },
    { what: "computed", inputs: [[6, 2, 3]], attributes: { group: 3 } },
  ],
  gradient: "none",
  refuses: [[[[3, 4, 2]], { group: 2 }, "weights do not fit"]],
});
