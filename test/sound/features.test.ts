// Log-mel bands and MFCCs against the formulas of torchaudio, librosa and TensorFlow, computed by NumPy in doubles.

import { describe, expect, test } from "vitest";
import { createFourier } from "../../src/sound/fourier";
import { soundFeatures } from "../../src/sound/index";
import { cosSin } from "../../src/sound/trigonometry";
import goldens from "./goldens.json";
import { sound } from "./sound";

describe("features", () => {
  test.each(goldens)("$features: NumPy's numbers", ({ features, shape, mean, norm, first, last, middle }) => {
    const { data, shape: own } = soundFeatures(features)(sound());
    expect(own).toEqual(shape);
    const [frames, width] = shape as [number, number];
    const close = (got: Iterable<number>, wanted: number[]) => {
      for (const [i, value] of [...got].entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-4);
    };
    close(data.subarray(0, 6), first);
    close(data.subarray(-6), last);
    const row = Math.floor(frames / 2) * width;
    close(
      middle.map((_, i) => data[row + i * Math.max(1, Math.floor(width / 6))]!),
      middle,
    );
    close([data.reduce((sum, value) => sum + value, 0) / data.length], [mean]);
    const length = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));
    expect(Math.abs(length / norm - 1)).toBeLessThan(1e-6);
  });

  test("of a sound that is too short there are none", () => {
    expect(soundFeatures("logmel,like=tensorflow")(new Float32Array(479)).shape).toEqual([0, 40]);
    expect(soundFeatures("logmel")(new Float32Array(1)).data.every(Number.isFinite)).toBe(true);
  });

  test("what is no array of numbers from −1 to 1 is refused", () => {
    const extract = soundFeatures("logmel");
    for (const wrong of [new Int16Array(400), new Uint8Array(400), null, undefined, "sound", 5])
      expect(() => extract(wrong as never)).toThrow(/samples: is not a sound: expected numbers from −1 to 1/);
    const loud: [unknown, string][] = [
      [[0, -32768], "-32768 at 1"],
      [Float32Array.of(0.5, 0, 32767), "32767 at 2"],
      [[NaN], "NaN at 0"],
      [["a", "b"], "String at 0"],
      [[0.5, null], "Null at 1"],
      [[undefined, 0.5], "Undefined at 0"],
      [{ length: 500 }, "Object"],
    ];
    for (const [wrong, got] of loud)
      expect(() => extract(wrong as never)).toThrow(`none beyond ±16, in a Float32Array, got ${got}. Divide`);
    expect(extract(new Float32Array(400).fill(1.5)).data.every(Number.isFinite)).toBe(true);
    expect(extract(Array.from(sound())).data).toEqual(extract(sound()).data);
    expect(extract(Float64Array.from(sound())).data).toEqual(extract(sound()).data);
  });

  test.each([
    ["mel", /features, kind: does not fit: expected logmel, mfcc, got mel/],
    ["logmel,mel=40", /features, mel: does not fit: expected NAME=VALUE.*Did you mean mels/],
    ["logmel,mels=0", /features, mels: does not fit: expected a whole number from 1 to 1024, got 0/],
    ["logmel,fft=1e9", /features, fft/],
    ["logmel,frame=401", /features, frame: does not fit: expected a whole number from 2 to fft = 400/],
    ["mfcc,mels=8,mfccs=9", /features, mfccs/],
    ["logmel,fmin=9000", /features, fmin/],
    ["logmel,fmax=9000", /features, fmax: does not fit: expected at most half of the sample rate, 8000/],
    ["logmel,like=kaldi", /features, like/],
    ["logmel,offset=0", /features, offset/],
    ["logmel,hop=x", /features, hop/],
  ])("refuses %s", (text, message) => {
    expect(() => soundFeatures(text)).toThrow(message);
  });
});

test("cosines and sines are those of Math, to the last bits, and exact at eighths", () => {
  for (const whole of [1, 2, 3, 7, 40, 400, 512, 1021])
    for (let part = -2 * whole; part < 2 * whole; part++) {
      const [cos, sin] = cosSin(part, whole);
      const turn = (2 * Math.PI * part) / whole;
      expect(Math.abs(cos - Math.cos(turn))).toBeLessThan(4e-15);
      expect(Math.abs(sin - Math.sin(turn))).toBeLessThan(4e-15);
    }
  expect([0, 1, 2, 3].map((quarter) => cosSin(quarter, 4).map((value) => value + 0))).toEqual([
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ]);
});

test.each([
  1, 2, 3, 4, 5, 12, 30, 49, 400, 441, 512, 97,
])("a transform of %i numbers is the sum of its definition", (n) => {
  const real = Float64Array.from({ length: n }, (_, i) => ((i * 37) % 11) - 5);
  const out = new Float64Array((n >> 1) + 1);
  createFourier(n).power(real, out);
  for (let k = 0; k <= n >> 1; k++) {
    let [re, im] = [0, 0];
    for (let i = 0; i < n; i++) {
      const turn = (2 * Math.PI * ((i * k) % n)) / n;
      re += real[i]! * Math.cos(turn);
      im += real[i]! * Math.sin(turn);
    }
    expect(Math.abs(out[k]! - (re * re + im * im))).toBeLessThan(1e-9 * n * n);
  }
});
