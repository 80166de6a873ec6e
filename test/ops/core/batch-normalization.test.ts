import { constant, fed, testOp } from "../test-op";

const numbers = (...values: number[]) => constant([values.length], values);

const image = ["batch", 2, 3, 4];
const given = [numbers(1.5, -0.5), numbers(0.1, 0.2), numbers(0.3, -1), numbers(0.5, 2)];
const computed = [2, 2, 2, 2].map((size) => fed("f32", [size], [0.5, 2]));

testOp("BatchNormalization", {
  cases: [
    { inputs: [image, ...given], attributes: { epsilon: 0.1 }, simplified: true },
    { what: "of statistics that are fed", inputs: [image, ...computed], simplified: true },
    { inputs: [["batch", 2], ...computed], attributes: { epsilon: 0.1 }, simplified: true },
    { inputs: [image, ...given], attributes: { training_mode: 1 }, outputs: 3, simplified: true },
    {
      inputs: [image, ...computed],
      attributes: { training_mode: 1, momentum: 0.5, epsilon: 0.1 },
      outputs: 3,
      simplified: true,
    },
  ],
  gradient: "none",
});
