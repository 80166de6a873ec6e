// Log-mel spectrograms and MFCCs of sounds, as keyword models take them and as torchaudio, librosa and TensorFlow compute them. Doubles in a
// fixed order, functions of our own for cosines, exponentials and logarithms: every engine gives the same bits.

import { portableExp, portableLog } from "../portable-math";
import { type FeatureSettings, featureSettingsOf, type SoundFeatures } from "./feature-settings";
import { createFourier } from "./fourier";
import { cosSin } from "./trigonometry";

/** The features of a sound. */
export interface Extractor {
  /** Samples a second. */
  readonly sampleRate: number;
  /** Features of a frame. */
  readonly width: number;
  /** Frames of a sound of so many samples. */
  readonly frames: (samples: number) => number;
  /** Fewest samples that give so many frames. */
  readonly samples: (frames: number) => number;
  /** [frames, width] of samples. */
  readonly extract: (samples: ArrayLike<number>) => Float32Array;
}

/** Makes the tables of features once. */
export function createExtractor(given: SoundFeatures): Extractor {
  const settings = featureSettingsOf(given);
  const { fft, frame, hop, kind, mels, mfccs, pad, power, like } = settings;
  const fourier = createFourier(fft);
  const window = Float64Array.from({ length: frame }, (_, i) => 0.5 - 0.5 * cosSin(i, frame)[0]);
  const bands = melBands(settings);
  const cosines = kind === "mfcc" ? cosineTable(mels, mfccs, like === "tensorflow") : undefined;
  // TensorFlow's frames are windows; the others' are transforms, in whose middle the window lies.
  const span = like === "tensorflow" ? frame : fft;
  const inset = (span - frame) >> 1;
  const edge = pad === "none" ? 0 : fft >> 1;
  const width = cosines ? mfccs : mels;
  const frames = (samples: number) => {
    const padded = samples + 2 * edge;
    return padded < span ? 0 : 1 + Math.floor((padded - span) / hop);
  };
  const [buffer, spectrum] = [new Float64Array(fft), new Float64Array((fft >> 1) + 1)];
  const melOf = (samples: ArrayLike<number>, start: number, out: Float64Array, at: number) => {
    buffer.fill(0);
    for (let i = 0; i < frame; i++)
      buffer[inset + i] = window[i]! * sampleAt(samples, start + inset + i, pad === "reflect");
    fourier.power(buffer, spectrum);
    if (power === 1) for (let i = 0; i < spectrum.length; i++) spectrum[i] = Math.sqrt(spectrum[i]!);
    for (let m = 0; m < mels; m++) {
      const { first, weights } = bands[m]!;
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * spectrum[first + i]!;
      out[at + m] = sum;
    }
  };
  return {
    sampleRate: settings.sampleRate,
    width,
    frames,
    samples: (count) => Math.max(1, (count - 1) * hop + span - 2 * edge),
    extract(samples) {
      const count = frames(samples.length);
      const mel = new Float64Array(count * mels);
      for (let t = 0; t < count; t++) melOf(samples, t * hop - edge, mel, t * mels);
      logarithms(mel, settings);
      const out = new Float32Array(count * width);
      for (let t = 0; t < count; t++)
        for (let k = 0; k < width; k++) {
          if (!cosines) out[t * width + k] = mel[t * mels + k]!;
          else {
            let sum = 0;
            for (let m = 0; m < mels; m++) sum += mel[t * mels + m]! * cosines[k * mels + m]!;
            out[t * width + k] = sum;
          }
        }
      return out;
    },
  };
}

/** A sample, also before the beginning and after the end. */
function sampleAt(samples: ArrayLike<number>, at: number, isReflected: boolean): number {
  const { length } = samples;
  if (at >= 0 && at < length) return samples[at]!;
  if (!isReflected || length < 2) return isReflected ? (samples[0] ?? 0) : 0;
  const period = 2 * (length - 1);
  const within = ((at % period) + period) % period;
  return samples[within < length ? within : period - within]!;
}

interface Band {
  readonly first: number;
  readonly weights: Float64Array;
}

const toHtk = (hz: number) => (2595 / Math.LN10) * portableLog(1 + hz / 700);
const fromHtk = (mel: number) => 700 * (portableExp((mel * Math.LN10) / 2595) - 1);
/** Below 1000 Hz a mel is 200 / 3 Hz, above it 27 mels are a factor of 6.4. */
const SLANEY_LOG = portableLog(6.4) / 27;
const toSlaney = (hz: number) => (hz < 1000 ? (3 * hz) / 200 : 15 + portableLog(hz / 1000) / SLANEY_LOG);
const fromSlaney = (mel: number) =>
  mel < 15 ? (200 * mel) / 3 : 1000 * portableExp(SLANEY_LOG * (mel - 15));

/** Triangles over the bins of the spectrum, their corners at equal distances on the mel scale. */
function melBands({ sampleRate, fft, mels, fmin, fmax, scale, like }: FeatureSettings): Band[] {
  const [to, from] = scale === "htk" ? [toHtk, fromHtk] : [toSlaney, fromSlaney];
  const [low, high] = [to(fmin), to(fmax)];
  // TensorFlow draws triangles over mels and leaves out the bin of 0 Hz, the others draw over Hz.
  const isOverMels = like === "tensorflow";
  const corners = Float64Array.from({ length: mels + 2 }, (_, i) => {
    const mel = low + ((high - low) * i) / (mels + 1);
    return isOverMels ? mel : from(mel);
  });
  const half = fft >> 1;
  const bins = Float64Array.from({ length: half + 1 }, (_, i) => {
    // Of an odd length, librosa's last bin lies below half of the sample rate.
    const hz = like === "librosa" ? (i * sampleRate) / fft : (i * sampleRate) / (2 * half);
    return isOverMels ? to(hz) : hz;
  });
  return Array.from({ length: mels }, (_, m) => {
    const [left, middle, right] = corners.subarray(m, m + 3) as unknown as [number, number, number];
    const norm = like === "librosa" ? 2 / (right - left) : 1;
    const all = bins.map((bin, i) =>
      isOverMels && i === 0
        ? 0
        : norm * Math.max(0, Math.min((bin - left) / (middle - left), (right - bin) / (right - middle))),
    );
    const first = Math.max(
      0,
      all.findIndex((weight) => weight > 0),
    );
    const count = all.findLastIndex((weight) => weight > 0) + 1 - first;
    return { first, weights: all.slice(first, first + Math.max(0, count)) };
  });
}

function logarithms(mel: Float64Array, { log, offset, power, topDb }: FeatureSettings): void {
  const decibels = (power === 2 ? 10 : 20) / Math.LN10;
  let loudest = -Infinity;
  for (let i = 0; i < mel.length; i++) {
    mel[i] = log === "ln" ? portableLog(mel[i]! + offset) : decibels * portableLog(Math.max(mel[i]!, offset));
    loudest = Math.max(loudest, mel[i]!);
  }
  if (log === "db" && topDb > 0)
    for (let i = 0; i < mel.length; i++) mel[i] = Math.max(mel[i]!, loudest - topDb);
}

/** The discrete cosine transform, type II: orthonormal, but that TensorFlow scales the first coefficient as all others. */
function cosineTable(mels: number, count: number, isFirstWhole: boolean): Float64Array {
  const table = new Float64Array(count * mels);
  for (let k = 0; k < count; k++) {
    const norm = Math.sqrt((k === 0 && !isFirstWhole ? 1 : 2) / mels);
    for (let m = 0; m < mels; m++) table[k * mels + m] = norm * cosSin((2 * m + 1) * k, 4 * mels)[0];
  }
  return table;
}
