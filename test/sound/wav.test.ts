// WAV files of every encoding, and damaged ones.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { openSound } from "../../src/sound/index";
import { openWav } from "../../src/sound/wav";
import { randomOf } from "../graph-builder";
import { wavOf } from "./wav-file";

const numbers = [0, 0.5, -0.5, 0.25, -1, 0.75];

describe("WAV", () => {
  test.each(["u8", "s16", "s24", "s32", "f32", "f64"] as const)("%s", (kind) => {
    const { sampleRate, length, read } = openWav(wavOf(numbers, { kind, sampleRate: 8000 }));
    expect([sampleRate, length]).toEqual([8000, 6]);
    expect([...read(0, 6)]).toEqual(numbers);
    expect([...read(4, 4)]).toEqual([-1, 0.75, 0, 0]);
    expect([...read(-2, 4)]).toEqual([0, 0, 0, 0.5]);
    expect([...read(-9, 4)]).toEqual([0, 0, 0, 0]);
    expect([...read(-1, 9)]).toEqual([0, ...numbers, 0, 0]);
  });

  test("the mean of two channels, an extensible header, chunks before the data, a size that nobody filled in", async () => {
    const stereo = openWav(wavOf([0.5, 0, -1, 0.5], { kind: "s16", channels: 2 }));
    expect([...stereo.read(0, 2)]).toEqual([0.25, -0.25]);
    expect([...openWav(wavOf(numbers, { kind: "f32", isExtensible: true })).read(0, 6)]).toEqual(numbers);
    expect([...openWav(wavOf(numbers, { kind: "s16", before: 7 })).read(0, 6)]).toEqual(numbers);
    const endless = wavOf(numbers, { kind: "s16" });
    new DataView(endless.buffer).setUint32(40, 0xffffffff, true);
    expect((await openSound(new Blob([endless]))).length).toBe(6);
  });

  test("other encodings and other files say what is read", () => {
    const law = wavOf(numbers, { kind: "u8" });
    new DataView(law.buffer).setUint16(20, 7, true);
    expect(() => openWav(law, "a.wav")).toThrow(
      /a\.wav: an encoding that is not read: expected PCM .* got µ-law, 8 bits/,
    );
    expect(() => openWav(new Uint8Array(100))).toThrow(/not a WAV/);
    const nan = wavOf([0, Number.NaN], { kind: "f32" });
    expect(() => openWav(nan).read(0, 2)).toThrow(/a sample that is no number/);
  });

  test("cut short or mutated it gives samples or a typed error", () => {
    const random = randomOf(3);
    const whole = (n: number) => Math.floor(random.between(0, n));
    const seen = new Set<string>();
    for (const kind of ["u8", "s24", "f32"] as const) {
      const bytes = wavOf(numbers, { kind, before: 3 });
      for (let length = 0; length < bytes.length; length++) {
        const cut = bytes.subarray(0, length);
        expect(() => openWav(cut)).toThrow(OctetteError);
      }
      for (let round = 0; round < 2000; round++) {
        const mutated = bytes.slice();
        for (let n = 1 + whole(3); n > 0; n--) mutated[whole(bytes.length)] = whole(256);
        try {
          const wav = openWav(mutated);
          wav.read(0, 8);
          seen.add("read");
        } catch (error) {
          if (!(error instanceof OctetteError)) throw error;
          seen.add(error.code);
        }
      }
    }
    expect(seen).toEqual(new Set(["read", "format", "unsupported"]));
  });
});
