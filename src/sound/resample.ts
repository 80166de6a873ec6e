// Recordings at another sample rate: sums with a windowed sinc, one set of weights for each phase between the two rates (J. O. Smith and
// P. Gossett, A flexible sampling-rate conversion method, ICASSP 1984). Its values are torchaudio's defaults. Doubles in a fixed order.

import { OctetteError } from "../errors";
import { cosSin } from "./trigonometry";
import { MAX_SOUND_SAMPLES, type Wav } from "./wav";

/** Highest rate that is converted, in samples a second. */
export const MAX_SAMPLE_RATE = 384_000;

/** Zero crossings of the sinc on each side, where a Hann window ends it. */
const CROSSINGS = 6;
/** Where the low-pass begins, of half the lower rate: in hundredths, which keep its angles fractions of whole numbers. */
const ROLLOFF = 99;
/** Pairs of rates whose weights are kept at once: data sets rarely have more. */
const MAX_PAIRS = 8;

interface Phase {
  /** Of the first weight's sample, from the sample at or before the result's moment. */
  readonly first: number;
  readonly weights: Float64Array;
}

/** The phases between two rates by their numbers, made when they are first read. */
type Phases = Map<number, Phase>;

/** Makes a `resampled` for many recordings: those of the same rates share their weights. */
export function createResampler(): typeof resampled {
  const pairs = new Map<string, Phases>();
  return (wav, sampleRate, where) => {
    const pair = `${wav.sampleRate} ${sampleRate}`;
    const phases: Phases = pairs.get(pair) ?? new Map();
    if (!pairs.has(pair) && pairs.size === MAX_PAIRS) pairs.clear();
    pairs.set(pair, phases);
    return resampledWith(phases, wav, sampleRate, where);
  };
}

/**
 * The recording at another rate, computed where it is read, as `torchaudio.functional.resample` computes it: `resampled(wav, 16000)`.
 * @throws OctetteError "argument" for a rate that is none, "limit" beyond MAX_SAMPLE_RATE, or where the result is longer than
 * MAX_SOUND_SAMPLES.
 */
export function resampled(wav: Wav, sampleRate: number, where?: string): Wav {
  return resampledWith(new Map(), wav, sampleRate, where);
}

function resampledWith(phases: Phases, wav: Wav, sampleRate: number, where = "wav"): Wav {
  if (wav.sampleRate === sampleRate) return wav;
  for (const rate of [sampleRate, wav.sampleRate]) checkRate(rate, where);
  const divisor = greatestDivisor(wav.sampleRate, sampleRate);
  const [from, to] = [wav.sampleRate / divisor, sampleRate / divisor];
  const length = Math.ceil((wav.length * to) / from);
  if (length > MAX_SOUND_SAMPLES)
    throw new OctetteError("the recording is too long", {
      code: "limit",
      where,
      expected: `at most MAX_SOUND_SAMPLES = ${MAX_SOUND_SAMPLES}`,
      got: `${length} at ${sampleRate} Hz`,
    });
  const phaseOf = (phase: number): Phase => {
    const made = phases.get(phase) ?? createPhase(phase, from, to);
    phases.set(phase, made);
    return made;
  };
  return {
    sampleRate,
    length,
    read(start, count) {
      const result = new Float32Array(count);
      const end = Math.min(start + count, length);
      if (end <= start) return result;
      const reach = Math.ceil((CROSSINGS * 100 * Math.max(1, from / to)) / ROLLOFF) + 1;
      const begin = Math.max(0, Math.floor((start * from) / to) - reach);
      const samples = wav.read(begin, Math.floor(((end - 1) * from) / to) + reach + 1 - begin);
      for (let n = start; n < end; n++) {
        const phase = (n * from) % to;
        const { first, weights } = phaseOf(phase);
        const at = (n * from - phase) / to + first - begin;
        let sum = 0;
        for (let k = Math.max(0, -at); k < weights.length && at + k < samples.length; k++)
          sum += weights[k]! * samples[at + k]!;
        result[n - start] = sum;
      }
      return result;
    },
  };
}

function checkRate(rate: number, where: string): void {
  if (Number.isSafeInteger(rate) && rate >= 1 && rate <= MAX_SAMPLE_RATE) return;
  throw new OctetteError("a sample rate that is not converted", {
    code: rate > MAX_SAMPLE_RATE ? "limit" : "argument",
    where,
    expected: `a whole number from 1 to MAX_SAMPLE_RATE = ${MAX_SAMPLE_RATE}`,
    got: `${rate}`,
  });
}

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));

/** Weights of the samples around a moment that lies phase / to of a sample after one: g · cos²(πt / 2c) · sin(πt) / πt for |t| < c. */
function createPhase(phase: number, from: number, to: number): Phase {
  const lower = Math.min(from, to);
  // t is numerator / denominator, in zero crossings.
  const denominator = 100 * from * to;
  const numerator = (k: number) => (k * to - phase) * lower * ROLLOFF;
  const most = CROSSINGS * denominator;
  const reach = most / (lower * ROLLOFF);
  const first = Math.ceil((phase - reach) / to);
  const count = Math.floor((phase + reach) / to) + 1 - first;
  const gain = (lower * ROLLOFF) / (100 * from);
  const weights = Float64Array.from({ length: count }, (_, i) => {
    const n = numerator(first + i);
    if (n === 0) return gain;
    const window = cosSin(n, 4 * most)[0];
    const angle = (Math.PI * n) / denominator;
    return (gain * window * window * cosSin(n, 2 * denominator)[1]) / angle;
  });
  return { first, weights };
}
