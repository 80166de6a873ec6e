// Resampling against torchaudio's formula, computed by NumPy in doubles, and against sines at the other rate.

import { describe, expect, test, vi } from "vitest";
import { resampled } from "../../src/sound/index";
import { createResampler } from "../../src/sound/resample";
import { openWav, type Wav } from "../../src/sound/wav";
import goldens from "./resampled.json";
import { sound } from "./sound";
import { wavOf } from "./wav-file";

const wav = (samples: ArrayLike<number>, sampleRate: number): Wav =>
  openWav(wavOf(Array.from(samples), { kind: "f32", sampleRate }));

describe("resampled", () => {
  test.each(goldens)("$from to $to Hz: NumPy's numbers", ({
    from,
    to,
    length,
    first,
    middle,
    last,
    norm,
  }) => {
    const { read, ...made } = resampled(wav(sound(), from), to);
    expect([made.length, made.sampleRate]).toEqual([length, to]);
    const all = read(0, length);
    const close = (got: Iterable<number>, wanted: number[]) => {
      for (const [i, value] of [...got].entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-6);
    };
    close(all.subarray(0, 6), first);
    close(all.subarray(length >> 1, (length >> 1) + 6), middle);
    close(all.subarray(-6), last);
    expect(Math.abs(Math.hypot(...all) / norm - 1)).toBeLessThan(1e-6);
  });

  test.each([
    [44100, 16000],
    [11025, 48000],
    [7, 5],
  ])("%i to %i Hz: any part of it is the same samples, silent after its end", (from, to) => {
    const { read, length } = resampled(wav(sound(), from), to);
    const all = read(0, length + 9);
    expect([...all.subarray(length)]).toEqual(Array(9).fill(0));
    for (const [start, count] of [
      [0, 1],
      [1, 17],
      [500, 301],
      [length - 2, 5],
      [length + 3, 2],
    ] as const)
      expect([...read(start, count)]).toEqual([
        ...Float32Array.from({ length: count }, (_, i) => all[start + i] ?? 0),
      ]);
  });

  test("recordings share the weights of their rates: the same samples, and weights made once", () => {
    const [from, to] = [11025, 48000];
    const shared = createResampler();
    const alone = resampled(wav(sound(), from), to).read(0, 3000);
    const made = vi.spyOn(Float64Array, "from");
    expect(shared(wav(sound(), from), to).read(0, 3000)).toEqual(alone);
    expect(made).toHaveBeenCalledTimes(to / 75);
    expect(shared(wav(sound(), from), to).read(0, 3000)).toEqual(alone);
    expect(made).toHaveBeenCalledTimes(to / 75);
    made.mockRestore();
    // Other rates between them, more than are kept.
    for (let rate = 8000; rate < 8020; rate++)
      expect(shared(wav(sound(), rate), to).read(9, 90)).toEqual(
        resampled(wav(sound(), rate), to).read(9, 90),
      );
    expect(shared(wav(sound(), from), to).read(0, 3000)).toEqual(alone);
  });

  test("a tone stays, and one that the other rate cannot hold goes", () => {
    const tone = (hz: number, rate: number) =>
      Float32Array.from({ length: 8000 }, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));
    const low = resampled(wav(tone(440, 44100), 44100), 16000).read(200, 2000);
    const wanted = tone(440, 16000).subarray(200, 2200);
    expect(Math.max(...low.map((v, i) => Math.abs(v - wanted[i]!)))).toBeLessThan(2e-3);
    const high = resampled(wav(tone(15000, 44100), 44100), 16000).read(200, 2000);
    expect(Math.max(...high.map(Math.abs))).toBeLessThan(1e-2);
  });

  test("its own rate is itself; rates and lengths beyond limits are refused", () => {
    const own = wav([1, 2], 8000);
    expect(resampled(own, 8000)).toBe(own);
    expect(() => resampled(own, 1e6, "a.wav")).toThrow(/a\.wav: .*at most|MAX_SAMPLE_RATE = 384000/);
    expect(() => resampled(wav([1, 2], 4e6), 16000)).toThrow(/MAX_SAMPLE_RATE = 384000, got 4000000/);
    expect(() => resampled(wav(new Float32Array(2000), 1), 384000)).toThrow(/MAX_SOUND_SAMPLES/);
    expect([...resampled(wav([], 8000), 16000).read(0, 2)]).toEqual([0, 0]);
  });
});
