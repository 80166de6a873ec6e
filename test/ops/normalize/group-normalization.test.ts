import { constant, testOp } from "../test-op";
import { normalizing } from "./oracle";

testOp("GroupNormalization", {
  oracle: normalizing((_, groups) => groups),
  cases: [
    { inputs: [["batch", 6, 4, 5], constant([6]), constant([6])], attributes: { num_groups: 2 } },
    { inputs: [["batch", 6, 5], [6], [6]], attributes: { num_groups: 3, epsilon: 0.1 } },
    { inputs: [["batch", 4, 3], [4], [4]], attributes: { num_groups: 1 } },
    { what: "one number a group", inputs: [["batch", 6, 5], [2], [2]], attributes: { num_groups: 2 } },
    { inputs: [["batch", 4, 3], [4], [4]], attributes: { num_groups: 4 } },
  ],
  infers: [[[["batch", 4, "h", "w"], [4], [4]], { num_groups: 2 }, "[batch, 4, h, w]"]],
  refuses: [
    [
      [["batch", 6, 4], [6], [6]],
      { num_groups: 4 },
      "channels do not make groups of one size: expected a divisor of 6, got 4",
    ],
    [
      [["batch", 6, 4], [4], [4]],
      { num_groups: 2 },
      "input 1 does not fit: expected one number a channel, [6], or a group, [2], got [4]",
    ],
  ],
});
