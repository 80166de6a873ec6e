// octette/sound: recordings, and the features that keyword models take of them, the same in every engine. Only its users load it.

import { type BytesSource, nameOf, readBytes } from "../engine/source";
import { classNameOf, OctetteError } from "../errors";
import { parseFeatures, type SoundFeatures } from "./feature-settings";
import { createExtractor } from "./features";
import { openWav, type Wav } from "./wav";

/**
 * Opens a WAV from anywhere: PCM of 8, 16, 24 or 32 bits, or floats.
 * @throws FormatError where it is none, damaged or truncated; OctetteError "unsupported" for other encodings, "limit" where it is too long.
 */
export async function openSound(source: BytesSource, signal?: AbortSignal): Promise<Wav> {
  return openWav(await readBytes(source, signal), nameOf(source, "sound"));
}

/**
 * Features of a sound, f32 [frames, bands or coefficients], from samples between −1 and 1. `features` is an object, or a text such as
 * `mfcc,like=tensorflow`. Tables are made once: `const extract = soundFeatures("logmel,mels=40")`.
 * @throws OctetteError "argument" that names the value which does not fit; and of the function, for arrays of integers, and for samples that are
 * no numbers, NaN or beyond ±16, as integers of 16 bits are.
 */
export function soundFeatures(features: string | SoundFeatures = {}): (
  samples: Float32Array | Float64Array | readonly number[],
) => {
  readonly dtype: "f32";
  readonly shape: readonly [number, number];
  readonly data: Float32Array;
} {
  const { width, frames, extract } = createExtractor(
    typeof features === "string" ? parseFeatures(features) : features,
  );
  return (samples) => {
    checkSamples(samples);
    return { dtype: "f32", shape: [frames(samples.length), width], data: extract(samples) };
  };
}

/** 24 dB more than full scale, which recordings in floats and resampling may pass a little. */
const MOST = 16;

/** Throws for what is no array of numbers from −1 to 1: integers as microphones give them would be features of a sound far too loud. */
function checkSamples(samples: ArrayLike<unknown>): void {
  let got = classNameOf(samples);
  if (/^(Array|Float(16|32|64)Array)$/.test(got)) {
    let at = 0;
    const isSample = (s: unknown) => typeof s === "number" && Math.abs(s) <= MOST;
    while (at < samples.length && isSample(samples[at])) at++;
    if (at === samples.length) return;
    const wrong = samples[at];
    got = `${typeof wrong === "number" ? wrong : classNameOf(wrong)} at ${at}`;
  }
  throw new OctetteError("is not a sound", {
    code: "argument",
    where: "samples",
    expected: `numbers from −1 to 1, none beyond ±${MOST}, in a Float32Array`,
    got,
    hint: "Divide 16-bit integers by 32768",
  });
}

export type { SoundFeatures } from "./feature-settings";
export { MAX_SAMPLE_RATE, resampled } from "./resample";
export { MAX_SOUND_SAMPLES, type Wav } from "./wav";
