// Mutation of data files: tables, arrays, images of MNIST and CIFAR, pictures, recordings, and folders of them with a table of labels. Each is
// opened as a user would, with options that its kind has, and its samples are read.

import { gzipSync, zipSync } from "fflate";
import type { OpenOptions } from "../../src/data/index";
import type { Random } from "../../src/graph/random";
import type { Input } from "../../src/index";
import { fileCases } from "../pictures/pillow";
import { wavOf } from "../sound/wav-file";
import { damaged } from "./sealed";

/** A file, or a folder of files by their paths. */
export interface DataFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly folder?: Readonly<Record<string, Uint8Array>>;
  readonly options?: OpenOptions;
  /** What takes it; without one the small network's, images [batch, 1, 4, 4]. */
  readonly input?: Input;
}

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!;
/** A value now and then. */
const maybe = <T>(random: Random, one: number, list: readonly T[]): T | undefined =>
  random.below(one) === 0 ? pick(random, list) : undefined;
const input = (...shape: readonly number[]): Input => ({
  name: "x",
  dtype: "f32",
  shape: ["batch", ...shape],
});

const ascii = (text: string) => new TextEncoder().encode(text);

function npyBytes(random: Random, descr: string, shape: readonly number[]): Uint8Array {
  const size = Number(/\d+$/.exec(descr)![0]);
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const padded = header.padEnd(118 - 1, " ") + "\n";
  const data = Uint8Array.from({ length: shape.reduce((n, dim) => n * dim, 1) * size }, () =>
    random.below(17),
  );
  const head = Uint8Array.of(
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    1,
    0,
    padded.length & 255,
    padded.length >> 8,
  );
  return Buffer.concat([head, ascii(padded), data]);
}

/** Text of a header with a number, a quote or a bracket changed. */
function mutateText(text: string, random: Random): string {
  let changed = text;
  for (let n = random.below(3); n >= 0; n--) {
    const at = random.below(changed.length);
    const part = pick(random, [
      "",
      "9999999999",
      "-1",
      "1e9",
      "0",
      "'",
      '"',
      ",",
      "(",
      ")",
      "\n",
      "\r",
      ";",
      "\u0000",
      "é",
      "nan",
      "inf",
      "x",
    ]);
    changed = changed.slice(0, at) + part + changed.slice(at + random.below(3));
  }
  return changed;
}

function mutateNpy(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.below(3) === 0) return damaged(bytes, random, Math.min(bytes.length, 140));
  const length = bytes[8]! + 256 * bytes[9]!;
  const header = ascii(mutateText(new TextDecoder().decode(bytes.subarray(10, 10 + length)), random));
  const head = bytes.slice(0, 10);
  if (random.below(4) > 0) head.set([header.length & 255, header.length >> 8], 8);
  return Buffer.concat([head, header, bytes.subarray(10 + length)]);
}

const maybePacked = (bytes: Uint8Array, random: Random): Uint8Array => {
  if (random.below(3) > 0) return bytes;
  const packed = gzipSync(bytes);
  return random.below(2) === 0 ? packed : damaged(packed, random);
};

const idxBytes = (random: Random, type: number, shape: readonly number[]) => {
  const head = new Uint8Array(4 + 4 * shape.length);
  head.set([0, 0, type, shape.length]);
  const view = new DataView(head.buffer);
  for (const [i, dim] of shape.entries()) view.setUint32(4 + 4 * i, dim);
  const size = { 8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8 }[type] ?? 1;
  const data = Uint8Array.from({ length: size * shape.reduce((n, dim) => n * dim, 1) }, () =>
    random.below(3),
  );
  return Buffer.concat([head, data]);
};

function csvText(random: Random): string {
  const header =
    random.below(2) === 0 ? `${Array.from({ length: 16 }, (_, i) => `p${i}`).join(",")},label\n` : "";
  const rows = Array.from({ length: 1 + random.below(8) }, (_, i) =>
    [...Array.from({ length: 16 }, () => random.below(17)), i % 3].join(","),
  );
  return `${header}${rows.join(random.below(5) === 0 ? "\r\n" : "\n")}\n`;
}

/** Rows as sensors write them: names, texts, gaps, other separators. */
function tableText(random: Random): string {
  const separator = pick(random, [",", ";", "\t"]);
  const names = ["time", "ax", "ay", "az", "who", "label"];
  const value = () =>
    pick(random, ["", "NA", "?", "nan", "1e400", "0x10", "-", '"1"', `${random.below(9)}.5`]);
  const rows = Array.from({ length: 2 + random.below(14) }, (_, i) =>
    [
      i,
      ...Array.from({ length: 3 }, () => (random.below(60) === 0 ? value() : random.below(100) / 8)),
      pick(random, ["ann", "bob"]),
      pick(random, ["up", "down", '"le ft"']),
    ].join(separator),
  );
  return [...(random.below(4) > 0 ? [names.join(separator)] : []), ...rows].join("\n");
}

function table(random: Random): DataFile {
  const options = {
    columns: pick(random, [["a*"], ["a*"], ["ax", "ay", "az"], ["*"], ["none"], undefined]),
    labels: pick(random, ["label", "label", "label", "last", "who", "none", undefined]),
    header: maybe(random, 9, [true, false]),
    missing: maybe(random, 2, ["mean", "drop", "refuse"] as const),
    group: maybe(random, 3, ["who", "label", "none"]),
    window: maybe(random, 2, [1, 2, 2, 3, 3, 5, 2 ** 31, 2 ** 53]),
    stride: maybe(random, 5, [1, 2, 7, 2 ** 53]),
    windowLabel: maybe(random, 4, ["last", "majority"] as const),
    normalize: pick(random, ["1,0,1,numbers", "0.5,1:2:3,1:1:1,numbers", undefined]),
  };
  const bytes = ascii(random.below(3) === 0 ? tableText(random) : mutateText(tableText(random), random));
  return {
    ...{ name: "a.csv", bytes: maybePacked(bytes, random), options },
    input: options.window ? pick(random, [input(3, 3), input(2, 3), input(3, 5), input(1, 3)]) : input(3),
  };
}

/** Big-endian, as PNG has it. */
const word = (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];

function crc(bytes: Uint8Array): number {
  let state = -1;
  for (const byte of bytes) {
    state ^= byte;
    for (let bit = 0; bit < 8; bit++) state = (state >>> 1) ^ (state & 1 ? 0xedb88320 : 0);
  }
  return ~state >>> 0;
}

/** A copy with other bytes from `at` on, as many as there is room for. */
function written(bytes: Uint8Array, other: readonly number[], at: number): Uint8Array {
  const copy = bytes.slice();
  copy.set(other.slice(0, Math.max(0, copy.length - at)), Math.min(at, copy.length));
  return copy;
}

/** A PNG whose chunks are changed, their checksums made good. */
function mutatePng(bytes: Uint8Array, random: Random): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const chunks: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    chunks.push(bytes.slice(at + 4, at + 8 + length));
    at += 12 + length;
  }
  for (let n = random.below(3); n >= 0; n--) {
    const at = random.below(chunks.length);
    const kind = random.below(6);
    if (kind === 0) chunks.splice(at, 1);
    else if (kind === 1) chunks.splice(random.below(chunks.length), 0, chunks[at]!);
    else if (kind === 2) chunks[0] = written(chunks[0]!, word(pick(random, SIZES)), pick(random, [4, 8]));
    else if (kind === 3)
      chunks[0] = written(chunks[0]!, [random.below(random.below(2) === 0 ? 256 : 17)], 12 + random.below(5));
    else if (kind === 4) chunks[at] = chunks[at]!.slice(0, random.below(chunks[at]!.length + 1));
    else chunks[at] = damaged(chunks[at]!, random);
    if (chunks.length === 0) break;
  }
  const whole = chunks.flatMap((chunk) => [
    Uint8Array.from(word(Math.max(0, chunk.length - 4))),
    chunk,
    Uint8Array.from(word(crc(chunk))),
  ]);
  return Buffer.concat([bytes.subarray(0, 8), ...whole]);
}

const SIZES = [0, 1, 2, 3, 4, 255, 4096, 8191, 8192, 65535, 2 ** 26, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** A JPEG with a marker's segment changed: its sizes, tables, order or length. */
function mutateJpeg(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const markers: number[] = [];
  for (let at = 2; at + 4 < copy.length && copy[at] === 0xff && copy[at + 1] !== 0xda; ) {
    markers.push(at);
    at += 2 + copy[at + 2]! * 256 + copy[at + 3]!;
  }
  const at = pick(random, markers) ?? 0;
  const length = copy[at + 2]! * 256 + copy[at + 3]!;
  const kind = random.below(4);
  if (kind === 0) return written(copy, word(pick(random, SIZES)).slice(2), at + 2 + 2 * random.below(4));
  if (kind === 1) copy[at + 1] = 0xc0 + random.below(64);
  else if (kind === 2) return Buffer.concat([copy.subarray(0, at), copy.subarray(at + 2 + length)]);
  else copy.set(damaged(copy.slice(at + 2, at + 2 + length), random), at + 2);
  return copy;
}

function mutatePicture(bytes: Uint8Array, random: Random): Uint8Array {
  const kind = random.below(6);
  if (kind === 0) return bytes.slice(0, random.below(bytes.length));
  if (kind === 1) return damaged(bytes, random);
  return bytes[0] === 0x89 ? mutatePng(bytes, random) : mutateJpeg(bytes, random);
}

const pictureOptions = (random: Random): OpenOptions => ({
  resize: maybe(random, 2, [1, 4, 7, "9x5", "4x4"]),
  crop: maybe(random, 3, [4, "4x4"]),
  filter: maybe(random, 2, ["bicubic", "nearest", "bilinear"] as const),
  normalize: pick(random, ["0..1", "-1..1", "1/255,0.5,0.25"]),
});

function picture(random: Random): DataFile {
  const { name, bytes } = pick(random, fileCases);
  return {
    ...{ name, bytes: mutatePicture(bytes, random), options: pictureOptions(random) },
    input: pick(random, [input(1, 4, 4), input(3, 4, 4), input(3, 5, 2)]),
  };
}

/** A recording whose header says other channels, rates, sizes and encodings. */
function recording(random: Random): Uint8Array {
  const samples = Array.from({ length: random.below(300) }, () => random.uniform() * 2 - 1);
  const bytes = wavOf(samples, {
    kind: pick(random, ["u8", "s16", "s24", "s32", "f32", "f64"] as const),
    sampleRate: pick(random, [8000, 16000, 44100, 22050, 1, 384_000, 2 ** 31]),
    channels: pick(random, [1, 1, 2, 3, 65535]),
    isExtensible: random.below(4) === 0,
    ...(random.below(4) === 0 ? { before: random.below(9) } : {}),
  });
  const kind = random.below(4);
  if (kind === 0) return damaged(bytes, random, Math.min(bytes.length, 80));
  if (kind === 1) return damaged(bytes, random);
  if (kind === 2) return bytes.slice(0, random.below(bytes.length));
  return bytes;
}

function sound(random: Random): DataFile {
  const features = maybe(random, 2, [
    "logmel,fft=64,mels=4",
    "mfcc,fft=50,mels=6,mfccs=4,like=librosa",
    "logmel,like=tensorflow,fft=32,frame=30,hop=7,mels=4,fmax=700,sampleRate=1500",
  ]);
  const options = {
    features,
    sampleRate: maybe(random, 3, [16000, 8000, 11025, 1, 383_999]),
    window: maybe(random, 3, [1, 16, 200, 5000]),
    stride: maybe(random, 4, [1, 3, 100]),
  };
  const taken = features ? pick(random, [input(4, 3), input(3, 4), input(1, 5, 4)]) : input(16);
  return { name: "a.wav", bytes: recording(random), options, input: taken };
}

function cifar(random: Random): DataFile {
  const labels = pick(random, [1, 2]);
  const count = 1 + random.below(3);
  const bytes = Uint8Array.from({ length: count * (labels + 3072) }, (_, i) =>
    i % (labels + 3072) < labels ? random.below(9) : i & 255,
  );
  const kind = random.below(3);
  const mutated =
    kind === 0 ? damaged(bytes, random, 2) : kind === 1 ? bytes.slice(0, random.below(bytes.length)) : bytes;
  const options = { labels: maybe(random, 3, ["coarse", "fine", "x"]), normalize: "cifar10" };
  return { name: "a.bin", bytes: maybePacked(mutated, random), options, input: input(3, 32, 32) };
}

/** A folder of classes, or of files and a table that labels them. */
function folder(random: Random): DataFile {
  const isSounds = random.below(3) === 0;
  const file = () =>
    isSounds
      ? wavOf(Array(20).fill(0.5), { kind: "s16", sampleRate: pick(random, [8000, 16000]) })
      : pick(random, fileCases).bytes;
  const ending = isSounds ? "wav" : "png";
  const names = ["a/1", "a/2", "b/1", "b/deep/2", "__proto__/1", ".hidden/1"].map(
    (name) => `${name}.${ending}`,
  );
  const files = Object.fromEntries([...names, "readme.txt"].map((name) => [`top/${name}`, file()]));
  const changed = `top/${pick(random, names)}`;
  if (random.below(3) === 0)
    files[changed] = isSounds ? recording(random) : mutatePicture(files[changed]!, random);
  const text = ["file,label", ...names.map((name, i) => `${name},${i % 2 ? "yes" : i}`)].join("\n");
  const labels = { name: "labels.csv", bytes: ascii(mutateText(text, random)) };
  const options = {
    ...(isSounds ? { sampleRate: maybe(random, 2, [16000]) } : pictureOptions(random)),
    ...(random.below(2) === 0 ? { labels } : {}),
  };
  return {
    ...{ name: "folder", bytes: zipSync(files, { level: 0 }), folder: files, options },
    input: isSounds ? input(8) : input(3, 4, 4),
  };
}

/** Bytes become floats now and then. */
const normalized = (random: Random, options: OpenOptions = {}): OpenOptions =>
  random.below(2) === 0 ? { ...options, normalize: "0.0625,0,1" } : options;
const beside = (name: string, bytes: Uint8Array): OpenOptions => ({
  labels: { name: `labels-${name}`, bytes },
});

function npz(random: Random): DataFile {
  const files = {
    "x.npy": npyBytes(random, pick(random, ["|u1", "<f4", "<f8", "<i8"]), [6, 1, 4, 4]),
    "labels.npy": npyBytes(random, "|u1", [6]),
  };
  const options = normalized(random);
  const kind = random.below(3);
  if (kind === 0) return { name: "a.npz", bytes: damaged(zipSync(files), random), options };
  const part = pick(random, ["x.npy", "labels.npy"] as const);
  const changed = { ...files, [part]: mutateNpy(files[part], random) };
  const zipped = zipSync(changed, { level: kind === 1 ? 0 : 6 });
  return { name: "a.npz", bytes: random.below(4) === 0 ? damaged(zipped, random) : zipped, options };
}

function npy(random: Random): DataFile {
  const bytes = npyBytes(random, pick(random, ["|u1", "<f4", "<f8", "<i8", "<i4", "|b1"]), [6, 1, 4, 4]);
  const options = normalized(random, beside("a.npy", npyBytes(random, "|u1", [6])));
  return { name: "a.npy", bytes: maybePacked(mutateNpy(bytes, random), random), options };
}

function idx(random: Random): DataFile {
  const bytes = idxBytes(random, pick(random, [8, 8, 9, 11, 12, 13, 14]), [6, 4, 4]);
  const labels = idxBytes(random, 8, [6]);
  const options = beside("images.idx", random.below(3) === 0 ? damaged(labels, random, 8) : labels);
  const mutated = damaged(bytes, random, random.below(2) === 0 ? 16 : bytes.length);
  return { name: "images.idx", bytes: maybePacked(mutated, random), options: normalized(random, options) };
}

const csv = (random: Random): DataFile => ({
  name: "a.csv",
  bytes: maybePacked(ascii(mutateText(csvText(random), random)), random),
  options: normalized(random),
});

/** Makers of files by format. */
export const dataFiles: Readonly<Record<string, (random: Random) => DataFile>> = {
  ...{ npz, npy, idx, csv, table, picture, sound, cifar, "folder of samples": folder },
};
