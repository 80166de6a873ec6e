import type { Forward } from "../reference/oracle";
import { constant, fed, testOp } from "./test-op";

const numbers = (...values: number[]) => constant([values.length], values);

const forward: Forward = ({ attributes }, [x, scale, bias, mean, variance]) => {
  const { epsilon = 1e-5, momentum = 0.9, training_mode = 0 } = attributes;
  const { shape, data } = x!;
  const [channels, inner] = [shape[1]!, shape.slice(2).reduce((a, b) => a * b, 1)];
  const channelOf = (at: number) => Math.floor(at / inner) % channels;
  const of = (c: number) => data.filter((_, at) => channelOf(at) === c);
  const average = (all: Float64Array) => all.reduce((a, b) => a + b, 0) / all.length;
  const own = Float64Array.from({ length: channels }, (_, c) => average(of(c)));
  const spread = Float64Array.from({ length: channels }, (_, c) =>
    average(of(c).map((v) => (v - own[c]!) ** 2)),
  );
  const [centers, spreads] = training_mode ? [own, spread] : [mean!.data, variance!.data];
  const y = data.map((v, at) => {
    const c = channelOf(at);
    return ((v - centers[c]!) / Math.sqrt(spreads[c]! + Number(epsilon))) * scale!.data[c]! + bias!.data[c]!;
  });
  const moved = (given: Float64Array, found: Float64Array) =>
    given.map((value, c) => value * Number(momentum) + found[c]! * (1 - Number(momentum)));
  return [
    { shape, data: y },
    { shape: [channels], data: moved(mean!.data, own) },
    { shape: [channels], data: moved(variance!.data, spread) },
  ];
};

const image = ["batch", 2, 3, 4];
const given = [numbers(1.5, -0.5), numbers(0.1, 0.2), numbers(0.3, -1), numbers(0.5, 2)];
const computed = [2, 2, 2, 2].map((size) => fed("f32", [size], [0.5, 2]));

testOp("BatchNormalization", {
  oracle: { forward },
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
