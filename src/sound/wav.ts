// WAV files (RIFF WAVE; Microsoft, Multimedia Programming Interface 1.0): PCM of 8, 16, 24 and 32 bits, and floats, as one channel.

import { FormatError, OctetteError } from "../errors";
import { isWav } from "./mark";

/** Most samples of a recording: an hour and a half at 48 kHz. */
export const MAX_SOUND_SAMPLES = 2 ** 28;

/** A recording whose samples are read when they are wanted. */
export interface Wav {
  /** Samples a second. */
  readonly sampleRate: number;
  /** Samples of each channel. */
  readonly length: number;
  /** `count` samples from `start` on, 0 before the beginning and beyond the end: the mean of all channels; whole numbers are divided so that they lie in −1 … 1. */
  readonly read: (start: number, count: number) => Float32Array;
}

const [PCM, FLOAT, EXTENSIBLE] = [1, 3, 0xfffe];
/** Encodings that are not read, by their numbers. */
const OTHERS: Readonly<Record<number, string>> = {
  2: "ADPCM",
  6: "A-law",
  7: "µ-law",
  17: "IMA ADPCM",
  85: "MP3",
};

interface Layout {
  readonly channels: number;
  readonly sampleRate: number;
  /** Of one sample of one channel. */
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
}

const readers = new Map<string, Layout["read"]>([
  [`${PCM} 8`, (view, at) => (view.getUint8(at) - 128) / 128],
  [`${PCM} 16`, (view, at) => view.getInt16(at, true) / 2 ** 15],
  [`${PCM} 24`, (view, at) => (view.getUint8(at) + view.getInt16(at + 1, true) * 256) / 2 ** 23],
  [`${PCM} 32`, (view, at) => view.getInt32(at, true) / 2 ** 31],
  [`${FLOAT} 32`, (view, at) => view.getFloat32(at, true)],
  [`${FLOAT} 64`, (view, at) => view.getFloat64(at, true)],
]);

/**
 * Opens a recording.
 * @throws FormatError where the bytes are no WAV, damaged or truncated; OctetteError "unsupported" for other encodings, "limit" beyond
 * MAX_SOUND_SAMPLES.
 */
export function openWav(bytes: Uint8Array, where = "wav"): Wav {
  if (!isWav(bytes)) throw new FormatError("not a WAV", { where, offset: 0, expected: "RIFF … WAVE" });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let layout: Layout | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = String.fromCharCode(...bytes.subarray(at, at + 4));
    const said = view.getUint32(at + 4, true);
    const left = bytes.length - at - 8;
    // A recorder that could not go back to its header leaves this size.
    const size = id === "data" && said === 0xffffffff ? left : said;
    if (size > left)
      throw new FormatError("truncated", {
        where,
        offset: at,
        expected: `a chunk of ${size} bytes`,
        got: `${left}`,
      });
    if (id === "fmt ") layout = readLayout(view, at + 8, size, where);
    if (id === "data") {
      if (!layout) throw new FormatError("samples before their format", { where, offset: at });
      return wavOf(view, at + 8, size, layout, where);
    }
    at += 8 + size + (size & 1);
  }
  throw new FormatError("truncated", { where, offset: bytes.length, expected: "a chunk of data" });
}

function readLayout(view: DataView, at: number, size: number, where: string): Layout {
  if (size < 16) throw new FormatError("the format is too short", { where, offset: at });
  const given = view.getUint16(at, true);
  const encoding = given === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : given;
  const [channels, sampleRate] = [view.getUint16(at + 2, true), view.getUint32(at + 4, true)];
  const bits = view.getUint16(at + 14, true);
  const read = readers.get(`${encoding} ${bits}`);
  if (!read)
    throw new OctetteError("an encoding that is not read", {
      code: "unsupported",
      where,
      expected: "PCM of 8, 16, 24 or 32 bits, floats of 32 or 64",
      got: `${OTHERS[encoding] ?? `encoding ${encoding}`}, ${bits} bits`,
      hint: "ffmpeg -i in.wav -c:a pcm_s16le out.wav",
    });
  if (channels === 0 || sampleRate === 0)
    throw new FormatError("the format is damaged", {
      where,
      offset: at,
      expected: "channels and a rate",
      got: `${channels} channels, ${sampleRate} Hz`,
    });
  return { channels, sampleRate, bytes: bits / 8, read };
}

function wavOf(view: DataView, begin: number, size: number, layout: Layout, where: string): Wav {
  const { channels, sampleRate, bytes, read } = layout;
  const length = Math.floor(size / (bytes * channels));
  if (length > MAX_SOUND_SAMPLES)
    throw new OctetteError("the recording is too long", {
      code: "limit",
      where,
      expected: `at most MAX_SOUND_SAMPLES = ${MAX_SOUND_SAMPLES}`,
      got: `${length}`,
    });
  return {
    sampleRate,
    length,
    read(start, count) {
      const samples = new Float32Array(count);
      const first = Math.max(0, -start);
      const most = Math.min(count, length - start);
      for (let i = first, at = begin + (start + first) * channels * bytes; i < most; i++) {
        let sum = 0;
        for (let c = 0; c < channels; c++, at += bytes) sum += read(view, at);
        if (!Number.isFinite(Math.fround(sum)))
          throw new FormatError("a sample that is no number", { where, offset: at - bytes });
        samples[i] = sum / channels;
      }
      return samples;
    },
  };
}
