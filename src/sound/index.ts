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
 * @throws OctetteError "argument" that names the value which does not fit; and of the function, for integers, which are not between −1 and 1.
 */
export function soundFeatures(features: string | SoundFeatures = {}): (samples: ArrayLike<number>) => {
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

/** Throws for what is no array of numbers from −1 to 1: integers as microphones give them would be features of a sound far too loud. */
function checkSamples(samples: ArrayLike<number>): void {
  const name = classNameOf(samples);
  if (/^(Array|Float(16|32|64)Array)$/.test(name)) return;
  throw new OctetteError("is not a sound", {
    code: "argument",
    where: "samples",
    expected: "numbers from −1 to 1 in a Float32Array",
    got: name,
    hint: "Divide integers of 16 bits by 32768",
  });
}

export type { SoundFeatures } from "./feature-settings";
export { MAX_SAMPLE_RATE, resampled } from "./resample";
export { MAX_SOUND_SAMPLES, type Wav } from "./wav";
