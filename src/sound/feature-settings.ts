// How features of sounds are computed: the values that torchaudio, librosa and TensorFlow have, and what a user gives in place of them.

import { OctetteError } from "../errors";
import { checkOptions, type Names, nearest } from "../options";

/** How features of sounds are computed. */
export interface SoundFeatures {
  /** Where the other values come from: `torchaudio` (default), `librosa` or `tensorflow`. */
  readonly like?: "torchaudio" | "librosa" | "tensorflow" | undefined;
  /** `logmel` (default) or `mfcc`. */
  readonly kind?: "logmel" | "mfcc" | undefined;
  /** Samples a second of a sound; default 16000, librosa's 22050. */
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
export type FeatureSettings = Required<{ [K in keyof SoundFeatures]: NonNullable<SoundFeatures[K]> }>;

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
export function featureSettingsOf(given: SoundFeatures): FeatureSettings {
  checkOptions("features", given, NAMES);
  for (const [name, known] of Object.entries(choices)) {
    const value = given[name as keyof SoundFeatures];
    if (value !== undefined && !known.includes(value)) throw wrong(name, known.join(", "), value);
  }
  const { like = "torchaudio", kind = "logmel" } = given;
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const all = { like, kind, ...libraries[like]({ ...given, kind }), ...own } as FeatureSettings;
  const settings: FeatureSettings = { ...all, offset: all.offset ?? (all.log === "ln" ? 1e-6 : 1e-10) };
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
