import { constant, testOp } from "../test-op";
import { dft } from "./reference";

testOp("DFT", {
  oracle: { forward: dft },
  cases: [
    { inputs: [["batch", 16, 1]] },
    { inputs: [["batch", 17, 2]] },
    { inputs: [["batch", 1, 1]] },
    { inputs: [["batch", 3, 12, 1]], attributes: { onesided: 1 } },
    { inputs: [["batch", 9, 1]], attributes: { onesided: 1, dft_length: [16] } },
    { inputs: [["batch", 20, 2]], attributes: { dft_length: [7] } },
    { inputs: [["batch", 10, 2]], attributes: { inverse: 1 } },
    { inputs: [["batch", 10, 1]], attributes: { inverse: 1 } },
    { inputs: [["batch", 9, 2]], attributes: { inverse: 1, onesided: 1 } },
    { inputs: [["batch", 9, 2]], attributes: { inverse: 1, onesided: 1, dft_length: [17] } },
    { inputs: [["batch", 6, 5, 1]], attributes: { axis: [1] }, simplified: true },
    { inputs: [["batch", 6, 5, 2]], attributes: { axis: [-3], inverse: 1 }, simplified: true },
    {
      inputs: [["batch", 6, 1], constant([], [8], "i32"), constant([], [1], "i32")],
      simplified: true,
    },
  ],
  infers: [
    [[["n", 400, 1]], { onesided: 1 }, "[n, 201, 2]"],
    [[["n", 201, 2]], { onesided: 1, inverse: 1 }, "[n, 400, 1]"],
  ],
  refuses: [
    [[[2, 8, 3]], {}, "its signal does not fit"],
    [[[2, "n", 1]], {}, "a size must be known"],
    [[[2, 8, 2]], { onesided: 1 }, "its signal does not fit"],
    [[[2, 8, 1]], { axis: [2] }, "its axis is that of real and imaginary parts"],
    [[[2, 8, 1]], { dft_length: [0] }, "its length does not fit"],
    [[[1, 100000, 1]], {}, "its transform is too long"],
  ],
});
