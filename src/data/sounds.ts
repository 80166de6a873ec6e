// Recordings as samples: windows of them, or features of windows, computed as batches are read.

import { FormatError, OctetteError } from "../errors";
import type { Input } from "../graph/graph";
import { parseFeatures } from "../sound/feature-settings";
import { createExtractor, type Extractor } from "../sound/features";
import type { SoundOptions } from "../sound/options";
import { createResampler } from "../sound/resample";
import { openWav, type Wav } from "../sound/wav";
import { type Dataset, type DatasetOptions, datasetOf } from "./dataset";
import type { Labelled } from "./folders";
import { madeRows } from "./sample-rows";
import { checkWindows, fitsSample, likeInput, type WindowOptions, windowCount } from "./windows";

/** Samples of WAV files for a model's input. A file shorter than a window is one sample, silent at its end. */
export function openSounds(
  { files, labels, classes }: Labelled,
  input: Input,
  {
    features,
    sampleRate: askedRate,
    window: askedWindow,
    stride: askedStride,
  }: SoundOptions & Pick<WindowOptions, "window" | "stride">,
  options: DatasetOptions & { readonly where: string },
): Dataset {
  const { where } = options;
  const extractor =
    features === undefined
      ? undefined
      : createExtractor(typeof features === "string" ? parseFeatures(features) : features);
  if (extractor && askedRate !== undefined && askedRate !== extractor.sampleRate)
    throw new OctetteError("the features are of another sample rate", {
      code: "argument",
      where,
      expected: `${extractor.sampleRate} Hz`,
      got: `${askedRate} Hz`,
      hint: `Say it with them: sampleRate=${askedRate}`,
    });
  const window = askedWindow ?? windowOf(input, extractor, where);
  const stride = askedStride ?? window;
  const placeOf = (file: number) => {
    const { name } = files[file]!;
    return name === where ? where : `${where}/${name}`;
  };
  const asked = askedRate ?? extractor?.sampleRate;
  // Shuffled batches open a file for nearly every row: weights outlive it.
  const resampled = createResampler();
  // Windows of a file mostly follow each other.
  let open: { readonly file: number; readonly own: number; readonly wav: Wav } | undefined;
  const opened = (file: number) => {
    if (open?.file !== file) {
      const wav = openWav(files[file]!.read(), placeOf(file));
      const own = wav.sampleRate;
      open = { file, own, wav: asked === undefined ? wav : resampled(wav, asked, placeOf(file)) };
    }
    return open;
  };
  /** Windows before each file, and of all. */
  const before = [0];
  const rate = asked ?? (files.length > 0 ? opened(0).own : 0);
  let others = 0;
  for (let file = 0; file < files.length; file++) {
    const { own, wav } = opened(file);
    const { length, sampleRate } = wav;
    if (length === 0)
      throw new FormatError("a recording without samples", { where: placeOf(file), hint: "Remove the file" });
    if (own !== rate) others++;
    if (sampleRate !== rate)
      throw new OctetteError("has another sample rate", {
        code: "argument",
        where: placeOf(file),
        expected: `${rate} Hz`,
        got: `${sampleRate} Hz`,
        hint: "Say the model's with sampleRate (--sample-rate): recordings of others are resampled",
      });
    before.push(before[file]! + windowCount(Math.max(length, window), window, stride, placeOf(file)));
    checkWindows(before[file + 1]!, where);
  }
  const shape = shapeOf(input, extractor, window);
  const count = before.at(-1)!;
  const samples = madeRows("f32", [count, ...likeInput(input, shape.sample)], (row, out, at) => {
    const file = fileAt(before, row);
    const sound = opened(file).wav.read((row - before[file]!) * stride, window);
    const data = extractor ? extractor.extract(sound) : sound;
    if (!shape.isTurned) return out.set(data, at);
    const [width, frames] = shape.sample as [number, number];
    for (let t = 0, from = 0; t < frames; t++)
      for (let k = 0; k < width; k++) out[at + k * frames + t] = data[from++]!;
  });
  const ownLabels = labels && new Int32Array(count);
  for (const [file, label] of (labels ?? []).entries())
    ownLabels!.fill(label, before[file], before[file + 1]);
  return datasetOf(new Map([[input.name, samples]]), [input], {
    ...options,
    notes: [
      ...(options.notes ?? []),
      ...(others > 0
        ? [`${where}: ${others} of ${files.length} recordings are resampled to ${rate} Hz`]
        : []),
    ],
    ...(ownLabels && { labels: { dtype: "i32", shape: [count], data: ownLabels } }),
    classes,
  });
}

/** The file that a window is of: the last one with no more windows before it. */
function fileAt(before: readonly number[], row: number): number {
  let [low, high] = [0, before.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (before[middle]! <= row) low = middle;
    else high = middle;
  }
  return low;
}

/** Samples that a model takes at once, by the shape of its input. */
function windowOf(input: Input, extractor: Extractor | undefined, where: string): number {
  const dims = input.shape.slice(1).filter((dim) => dim !== 1);
  const [first, second] = dims;
  if (!extractor && dims.every((dim) => typeof dim === "number"))
    return (dims as number[]).reduce((product, dim) => product * dim, 1);
  if (extractor && dims.length === 2) {
    const frames = second === extractor.width ? first : first === extractor.width ? second : undefined;
    if (typeof frames === "number") return extractor.samples(frames);
  }
  throw new OctetteError("cannot tell how long a sample is", {
    code: "argument",
    where,
    expected: extractor
      ? `an input of frames and ${extractor.width} values of each`
      : "an input of a size of its own",
    got: `[${input.shape.join(", ")}]`,
    hint: "Say it with window (--window), in samples of the sound; or other features",
  });
}

/** How the numbers of one sample lie, and whether frames come last. */
function shapeOf(input: Input, extractor: Extractor | undefined, window: number) {
  if (!extractor) return { sample: [window], isTurned: false };
  const [frames, width] = [extractor.frames(window), extractor.width];
  const isTurned = !fitsSample(input, [frames, width]) && fitsSample(input, [width, frames]);
  return { sample: isTurned ? [width, frames] : [frames, width], isTurned };
}
