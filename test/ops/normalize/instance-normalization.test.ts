import { constant, testOp } from "../test-op";
import { normalizing } from "./oracle";

testOp("InstanceNormalization", {
  oracle: normalizing((channels) => channels),
  cases: [
    { inputs: [["batch", 3, 4, 5], constant([3]), constant([3])] },
    { inputs: [["batch", 3, 17], [3], [3]], attributes: { epsilon: 0.1 } },
    { inputs: [["batch", 2, 2, 3, 2], [2], [2]] },
  ],
  infers: [[[["batch", 3, "h", "w"], [3], [3]], {}, "[batch, 3, h, w]"]],
  refuses: [
    [[["batch", 3, 4], [4], [4]], {}, "input 1 does not fit: expected one number a channel, [3], got [4]"],
    [
      [["batch", "c", 4], [4], [4]],
      {},
      "input 0 does not fit: expected samples, a known number of channels, and more",
    ],
  ],
});
