import { constant, fed, testOp } from "../test-op";
import { stft } from "./reference";

const hop = { frame_step: [4] };
const computed = (n: number) =>
  fed(
    "f32",
    [n],
    Array.from({ length: n }, (_, i) => ((7 * i) % 11) / 8 - 0.5),
  );
const window = (n: number) =>
  constant(
    [n],
    Array.from({ length: n }, (_, i) => ((7 * i) % 11) / 8 - 0.5),
  );

testOp("STFT", {
  oracle: { forward: stft },
  cases: [
    { inputs: [["batch", 33, 1]], attributes: { ...hop, frame_length: [16] } },
    { inputs: [[1, 33, 1]], attributes: { ...hop, frame_length: [16] } },
    { inputs: [["batch", 33, 1], "", window(9)], attributes: hop },
    { inputs: [[1, 40, 2], "", window(12)], attributes: { ...hop, onesided: 0 } },
    { inputs: [["batch", 21, 2]], attributes: { frame_step: [5], frame_length: [8], onesided: 0 } },
    { inputs: [["batch", 7, 1]], attributes: { frame_step: [1] } },
    { what: "a window that is fed", inputs: [["batch", 33, 1], "", computed(9)], attributes: hop },
    {
      what: "a window that is fed",
      inputs: [[1, 21, 2], "", computed(8)],
      attributes: { ...hop, onesided: 0 },
    },
    {
      inputs: [["batch", 20, 1], constant([], [3], "i32"), constant([8]), constant([], [8], "i32")],
      simplified: true,
    },
  ],
  infers: [[[["n", 16000, 1]], { frame_step: [160], frame_length: [400] }, "[n, 98, 201, 2]"]],
  refuses: [
    [[[2, 8, 1]], {}, "frame_step is missing"],
    [[[2, 8, 2]], hop, "its signal does not fit"],
    [[[2, "n", 1]], hop, "its signal does not fit"],
    [[[2, 8, 1]], { ...hop, frame_length: [9] }, "its frames do not fit"],
    [[[2, 8, 1], "", constant([5])], { ...hop, frame_length: [4] }, "its frames do not fit"],
  ],
});
