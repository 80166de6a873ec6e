// Log-mel spectrograms and MFCCs of sounds, as keyword models take them and as torchaudio, librosa and TensorFlow compute them. Doubles in a
// fixed order, functions of our own for cosines, exponentials and logarithms: every engine gives the same bits.

import { OctetteError } from "../errors";
import { checkOptions, type Names, nearest } from "../options";
import { portableExp, portableLog } from "../portable-math";
import { createFourier } from "./fourier";
import { cosSin } from "./trigonometry";

/** How features of sounds are computed. */
export interface SoundFeatures {
  /** Where the other values come from: `torchaudio` (default), `librosa` or `tensorflow`. */
  readonly like?: "torchaudio" | "librosa" | "tensorflow" | undefined;
  /** `logmel` (default) or `mfcc`. */
  readonly kind?: "logmel" | "mfcc" | undefined;
  /** Samples a second that a sound must have; default 16000, librosa's 22050. */
  readonly sampleRate?: number | undefined;
  /** Length of the Fourier transform in samples; default 400, librosa's 2048, tensorflow's 512. */
  readonly fft?: number | undefined;
  /** Length of the window in samples; default that of the transform, tensorflow's 480. */
  readonly frame?: number | undefined;
  /** Samples from one frame to the next; default half of the frame, librosa's a quarter, tensorflow's 320. */
  readonly hop?: number | undefined;
  /** Bands of the mel scale; default 128, tensorflow's 40. */
  readonly mels?: number | undefined;
  /** Coefficients of an MFCC; default 40, librosa's 20, tensorflow's 10. */
  readonly mfccs?: number | undefined;
  /** Lowest frequency in Hz; default 0, tensorflow's 20. */
  readonly fmin?: number | undefined;
  /** Highest frequency in Hz; default half of the sample rate, tensorflow's 4000. */
  readonly fmax?: number | undefined;
  /** Whether frames have their middle at multiples of `hop`, the sound continued at its ends: `reflect`, `zeros` or `none`; default by `like`. */
  readonly pad?: "reflect" | "zeros" | "none" | undefined;
  /** 2 for squares of magnitudes, 1 for magnitudes; default 2, tensorflow's 1. */
  readonly power?: 1 | 2 | undefined;
  /** The mel scale: `htk` or `slaney` (librosa's); default by `like`. */
  readonly scale?: "htk" | "slaney" | undefined;
  /** `ln` is ln(x + offset), `db` is decibels of the power at least `offset`; default db for librosa and torchaudio's MFCC, else ln. */
  readonly log?: "ln" | "db" | undefined;
  /** What is added before `ln`, and the least power of `db`; default 1e-6 and 1e-10. */
  readonly offset?: number | undefined;
  /** Decibels below the loudest at which `db` cuts off, 0 for none; default 80 where `db` is, but for torchaudio's log-mel. */
  readonly topDb?: number | undefined;
}

const NAMES = {
  like: 1,
  kind: 1,
  sampleRate: 1,
  fft: 1,
  frame: 1,
  hop: 1,
  mels: 1,
  mfccs: 1,
  fmin: 1,
  fmax: 1,
  pad: 1,
  power: 1,
  scale: 1,
  log: 1,
  offset: 1,
  topDb: 1,
} satisfies Names<SoundFeatures>;

/** Largest transform and largest number of bands: more is a mistake. */
const MAX_FFT = 2 ** 16;
const MAX_MELS = 1024;

type Library = NonNullable<SoundFeatures["like"]>;

const libraries: Readonly<Record<Library, (given: SoundFeatures) => SoundFeatures>> = {
  torchaudio: ({ kind, fft = 400, frame = fft, sampleRate = 16000, log }) => ({
    sampleRate,
    fft,
    frame,
    hop: frame >> 1,
    mels: 128,
    mfccs: 40,
    fmin: 0,
    fmax: sampleRate / 2,
    pad: "reflect",
    power: 2,
    scale: "htk",
    log: kind === "mfcc" ? "db" : "ln",
    topDb: kind === "mfcc" && log !== "ln" ? 80 : 0,
  }),
  librosa: ({ fft = 2048, frame = fft, sampleRate = 22050 }) => ({
    sampleRate,
    fft,
    frame,
    hop: frame >> 2,
    mels: 128,
    mfccs: 20,
    fmin: 0,
    fmax: sampleRate / 2,
    pad: "zeros",
    power: 2,
    scale: "slaney",
    log: "db",
    topDb: 80,
  }),
  tensorflow: () => ({
    sampleRate: 16000,
    fft: 512,
    frame: 480,
    hop: 320,
    mels: 40,
    mfccs: 10,
    fmin: 20,
    fmax: 4000,
    pad: "none",
    power: 1,
    scale: "htk",
    log: "ln",
    topDb: 0,
  }),
};

/** Every value, none left to be guessed. */
export type Settings = Required<{ [K in keyof SoundFeatures]: NonNullable<SoundFeatures[K]> }>;

const choices: Readonly<Partial<Record<keyof SoundFeatures, readonly (string | number)[]>>> = {
  like: ["torchaudio", "librosa", "tensorflow"],
  kind: ["logmel", "mfcc"],
  pad: ["reflect", "zeros", "none"],
  power: [1, 2],
  scale: ["htk", "slaney"],
  log: ["ln", "db"],
};

/** `mfcc,like=tensorflow,mels=40` as features. */
export function parseFeatures(text: string): SoundFeatures {
  const [kind, ...pairs] = text.split(",").map((part) => part.trim());
  const given: Record<string, string | number> = { kind: kind! };
  for (const pair of pairs) {
    const [name = "", value = ""] = pair.split("=");
    if (!Object.hasOwn(NAMES, name) || value === "") {
      const near = nearest(name, Object.keys(NAMES));
      throw wrong(name, "NAME=VALUE", pair, near && `Did you mean ${near}?`);
    }
    given[name] = /^[\d.eE+-]+$/.test(value) ? Number(value) : value;
  }
  return given as SoundFeatures;
}

const wrong = (name: string, expected: string, got: unknown, hint?: string) =>
  new OctetteError("does not fit", {
    code: "argument",
    where: `features, ${name}`,
    expected,
    got: `${got}`,
    ...(hint ? { hint } : {}),
  });

/** All values of features. Throws an OctetteError "argument" that names the one that does not fit. */
export function settingsOf(given: SoundFeatures): Settings {
  checkOptions("features", given, NAMES);
  for (const [name, known] of Object.entries(choices)) {
    const value = given[name as keyof SoundFeatures];
    if (value !== undefined && !known.includes(value)) throw wrong(name, known.join(", "), value);
  }
  const { like = "torchaudio", kind = "logmel" } = given;
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const all = { like, kind, ...libraries[like]({ ...given, kind }), ...own } as Settings;
  const settings: Settings = { ...all, offset: all.offset ?? (all.log === "ln" ? 1e-6 : 1e-10) };
  const { sampleRate, fft, frame, hop, mels, mfccs, fmin, fmax, offset, topDb } = settings;
  const isWhole = (value: number, least: number, most: number) =>
    Number.isSafeInteger(value) && value >= least && value <= most;
  if (!isWhole(sampleRate, 1, 2 ** 31)) throw wrong("sampleRate", "a whole number from 1", sampleRate);
  if (!isWhole(fft, 2, MAX_FFT)) throw wrong("fft", `a whole number from 2 to ${MAX_FFT}`, fft);
  if (!isWhole(frame, 2, fft)) throw wrong("frame", `a whole number from 2 to fft = ${fft}`, frame);
  if (!isWhole(hop, 1, 2 ** 31)) throw wrong("hop", "a whole number from 1", hop);
  if (!isWhole(mels, 1, MAX_MELS)) throw wrong("mels", `a whole number from 1 to ${MAX_MELS}`, mels);
  if (settings.kind === "mfcc" && !isWhole(mfccs, 1, mels))
    throw wrong("mfccs", `a whole number from 1 to mels = ${mels}`, mfccs);
  if (!(fmin >= 0 && fmin < fmax)) throw wrong("fmin", `from 0 to below fmax = ${fmax}`, fmin);
  if (!(fmax <= sampleRate / 2))
    throw wrong("fmax", `at most half of the sample rate, ${sampleRate / 2}`, fmax);
  if (!(offset > 0 && offset < 1)) throw wrong("offset", "above 0 and below 1", offset);
  if (!(topDb >= 0 && topDb < Infinity)) throw wrong("topDb", "0 or more", topDb);
  return settings;
}

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
  const settings = settingsOf(given);
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
function melBands({ sampleRate, fft, mels, fmin, fmax, scale, like }: Settings): Band[] {
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

function logarithms(mel: Float64Array, { log, offset, power, topDb }: Settings): void {
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
