import { describe, expect, test } from "vitest";
import type { Layout } from "../../src/ops/op";
import { ChannelMeans, type Histogram, Observer } from "../../src/quantize/observer";
import { randomOf } from "../graph-builder";

const numbers = (n: number, seed: number, spread = 4) => {
  const { between, below } = randomOf(seed);
  return Float32Array.from({ length: n }, () =>
    below(3) === 0 ? 0 : between(-1, 1) * 10 ** between(-spread, spread),
  );
};

function observed(...parts: Float32Array[]): Observer {
  const observer = new Observer();
  for (const data of parts) observer.observe({ data });
  return observer;
}

const total = ({ counts, zeros }: Histogram) => counts.reduce((sum, n) => sum + n, zeros);

describe("histogram", () => {
  test.each([0, 1, 3, 4, 17, 5000])("%d numbers: exact extremes, every number in its bin", (n) => {
    const data = numbers(n, n);
    const observer = observed(data);
    const histogram = observer.histogram();
    expect(observer.count).toBe(n);
    expect(total(histogram)).toBe(n);
    expect([histogram.min, histogram.max]).toEqual(n ? [Math.min(...data), Math.max(...data)] : [0, 0]);
    expect(histogram.zeros).toBe(data.filter((x) => x === 0).length);
    const expected = new Float64Array(histogram.counts.length);
    for (const x of data) if (x !== 0) expected[Math.floor(x / histogram.width) - histogram.first]! += 1;
    expect(histogram.counts).toEqual(expected);
  });

  test("what it holds does not depend on how the numbers were cut, nor on their order", () => {
    const data = numbers(4000, 5);
    const parts = [data.slice(0, 1), data.slice(1, 18), data.slice(18, 3000), data.slice(3000)];
    const whole = observed(data).histogram();
    expect(observed(...parts).histogram()).toEqual(whole);
    expect(observed(...parts.reverse()).histogram()).toEqual(whole);
  });

  test("a bin remembers its number when all in it are equal", () => {
    const data = Float32Array.from([1, 1, 1, 2, 2.0001, -5, -5]);
    const { single, counts } = observed(data.subarray(0, 2), data.subarray(2)).histogram();
    const held = [...counts.keys()].filter((bin) => counts[bin]! > 0).map((bin) => single[bin]!);
    expect(held).toEqual([-5, 1, Number.NaN]);
  });

  test("NaN and infinite numbers are counted and otherwise ignored", () => {
    const observer = observed(Float32Array.from([1, Number.NaN, -2, Infinity, -Infinity, 0]));
    expect([observer.notFinite, observer.count, observer.min, observer.max]).toEqual([3, 3, -2, 1]);
    expect(total(observer.histogram())).toBe(3);
    expect(observed(Float32Array.from([Number.NaN])).histogram()).toMatchObject({ min: 0, max: 0 });
  });

  test("the largest and smallest floats fit", () => {
    const largest = 3.4028234663852886e38;
    const observer = observed(
      Float32Array.from([2 ** -149, -(2 ** -149)]),
      Float32Array.from([largest, -largest]),
    );
    expect(total(observer.histogram())).toBe(4);
    expect(observer.histogram()).toMatchObject({ min: -largest, max: largest });
  });
});

describe("means of channels", () => {
  const shape = [3, 4, 2, 5];
  const at = (n: number, c: number, h: number, w: number) => ((n * 4 + c) * 2 + h) * 5 + w;
  const plain = numbers(120, 9, 1);
  const permuted = Float32Array.from(plain);
  for (let n = 0, to = 0; n < 3; n++)
    for (let h = 0; h < 2; h++)
      for (let w = 0; w < 5; w++) for (let c = 0; c < 4; c++, to++) permuted[to] = plain[at(n, c, h, w)]!;
  const meansOf = (axis: number, layout: Layout, data: Float32Array, of = shape) => {
    const means = new ChannelMeans(axis);
    means.observe({ shape: of, layout, data });
    return means.means();
  };

  test("axis 1: the same to the bit in either layout, and however samples are cut", () => {
    const expected = Float64Array.from({ length: 4 }, (_, c) => {
      let sum = 0;
      for (let n = 0; n < 3; n++) for (let i = 0; i < 10; i++) sum += plain[(n * 4 + c) * 10 + i]!;
      return sum / 30;
    });
    expect(meansOf(1, "plain", plain)).toEqual(expected);
    expect(meansOf(1, "channelsLast", permuted)).toEqual(expected);
    const cut = new ChannelMeans(1);
    cut.observe({ shape: [1, 4, 2, 5], layout: "plain", data: plain.subarray(0, 40) });
    cut.observe({ shape: [2, 4, 2, 5], layout: "channelsLast", data: permuted.subarray(40) });
    expect(cut.means()).toEqual(expected);
  });

  test("the last axis, in either layout", () => {
    const close = meansOf(-1, "channelsLast", permuted)!;
    meansOf(-1, "plain", plain)!.forEach((mean, i) => {
      expect(close[i]).toBeCloseTo(mean, 9);
    });
  });

  test("a flattened image: features in ONNX's order", () => {
    expect(meansOf(1, "flat:4", permuted, [3, 40])).toEqual(meansOf(1, "plain", plain, [3, 40]));
  });

  test("nothing seen: no means", () => {
    expect(new ChannelMeans(1).means()).toBeUndefined();
  });
});
