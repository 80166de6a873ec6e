import { testOp } from "../test-op";

testOp("RotaryAngles", {
  exported: "refused",
  gradient: "none",
  cases: [
    { inputs: [[8]], outputs: 2, attributes: { position: [0], tokens: [1] } },
    { inputs: [[3]], outputs: 2, attributes: { position: [1000], tokens: [5], scale: 0.25 } },
    { inputs: [[0]], outputs: 2, attributes: { position: [1], tokens: [2] } },
    { inputs: [[4]], outputs: 2, attributes: { position: [1], tokens: [0] } },
  ],
  infers: [[[[8]], { position: ["position"], tokens: ["tokens"] }, "[1, tokens, 8] [1, tokens, 8]", 2]],
  refuses: [
    [[[8]], { tokens: [1] }, "position is missing", 2],
    [[[8]], { position: [1] }, "tokens is missing", 2],
    [[[8, 2]], { position: [1], tokens: [1] }, "input 0 does not fit: expected [frequencies], got [8,2]", 2],
  ],
});
