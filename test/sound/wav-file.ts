// WAV files as tests need them.

export interface WavOptions {
  readonly kind: "u8" | "s16" | "s24" | "s32" | "f32" | "f64";
  readonly sampleRate?: number;
  readonly channels?: number;
  readonly isExtensible?: boolean;
  /** Bytes of a chunk before the data. */
  readonly before?: number;
}

/** A file of samples between −1 and 1, those of a moment side by side. */
export function wavOf(samples: readonly number[], options: WavOptions): Uint8Array<ArrayBuffer> {
  const { kind, sampleRate = 16000, channels = 1, isExtensible = false, before } = options;
  const bits = Number(kind.slice(1));
  const bytes = bits / 8;
  const isFloat = kind.startsWith("f");
  const format = isExtensible ? 40 : 16;
  const extra = before === undefined ? 0 : 8 + before + (before & 1);
  const out = new Uint8Array(12 + 8 + format + extra + 8 + samples.length * bytes);
  const view = new DataView(out.buffer);
  const text = (at: number, word: string) => out.set(new TextEncoder().encode(word), at);
  text(0, "RIFF");
  view.setUint32(4, out.length - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, format, true);
  view.setUint16(20, isExtensible ? 0xfffe : isFloat ? 3 : 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * bytes, true);
  view.setUint16(32, channels * bytes, true);
  view.setUint16(34, bits, true);
  if (isExtensible) view.setUint16(44, isFloat ? 3 : 1, true);
  let at = 20 + format;
  if (before !== undefined) {
    text(at, "LIST");
    view.setUint32(at + 4, before, true);
    at += extra;
  }
  text(at, "data");
  view.setUint32(at + 4, samples.length * bytes, true);
  at += 8;
  for (const sample of samples) {
    const code = Math.min(2 ** (bits - 1) - 1, Math.round(sample * 2 ** (bits - 1)));
    if (kind === "f32") view.setFloat32(at, sample, true);
    else if (kind === "f64") view.setFloat64(at, sample, true);
    else if (kind === "u8") view.setUint8(at, code + 128);
    else for (let b = 0; b < bytes; b++) view.setUint8(at + b, (code >> (8 * b)) & 255);
    at += bytes;
  }
  return out;
}
