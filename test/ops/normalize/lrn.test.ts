import { testOp } from "../test-op";

testOp("LRN", {
  oracle: {
    forward: ({ attributes: { alpha = 1e-4, beta = 0.75, bias = 1, size } }, [x]) => {
      const { shape, data } = x!;
      const [, channels, ...rest] = shape as [number, number, ...number[]];
      const inner = rest.reduce((a, b) => a * b, 1);
      const [before, behind] = [Math.floor((Number(size) - 1) / 2), Math.ceil((Number(size) - 1) / 2)];
      const y = data.map((value, at) => {
        const c = Math.floor(at / inner) % channels;
        let sum = 0;
        for (let d = Math.max(0, c - before); d <= Math.min(channels - 1, c + behind); d++)
          sum += data[at + (d - c) * inner]! ** 2;
        return value / (Number(bias) + (Number(alpha) / Number(size)) * sum) ** Number(beta);
      });
      return [{ shape, data: y }];
    },
  },
  cases: [
    { inputs: [["batch", 5, 4, 5]], attributes: { size: 3 } },
    { inputs: [["batch", 5, 4, 5]], attributes: { size: 3, alpha: 0.5, beta: 0.5, bias: 2 } },
    { inputs: [["batch", 7, 3]], attributes: { size: 4, alpha: 1 } },
    { inputs: [["batch", 3]], attributes: { size: 9, alpha: 1 } },
  ],
  gradient: "none",
  refuses: [
    [[[5]], { size: 3 }, "input 0 does not fit: expected samples, channels and more, got [5]"],
    [[["batch", 5, 4]], {}, "size does not fit: expected a whole number ≥ 1, got 0"],
    [[["batch", 5, 4]], { size: 3, bias: 0 }, "what is divided by may be 0: expected alpha ≥ 0 and bias > 0"],
  ],
});
