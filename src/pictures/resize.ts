// Pictures of another size, to the byte as PIL's Image.resize gives them (Pillow, src/libImaging/Resample.c and Geometry.c): nearest, or
// a filter that is widened where the picture shrinks. Weights are rounded to 22 bits. Rows are filtered before columns, and rounded to
// bytes between. Of the new picture only the rectangle that is asked for is computed.

import type { Picture } from "./picture";

/** How pixels of a new size are made of the old ones. */
export type Filter = "nearest" | "bilinear" | "bicubic";

/** A rectangle of a picture, in pixels. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface Kernel {
  /** Beyond this distance a weight is 0. */
  readonly support: number;
  readonly weight: (distance: number) => number;
}

/** Of Keys' cubic convolution, as PIL has it. */
const A = -0.5;

const kernels: Readonly<Record<Exclude<Filter, "nearest">, Kernel>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight(x) {
      const d = Math.abs(x);
      if (d < 1) return ((A + 2) * d - (A + 3)) * d * d + 1;
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * A : 0;
    },
  },
};

/** Bits of a weight after the point: a sum of bytes times weights, which may overshoot twofold, fits 32 bits. */
const BITS = 22;

/** Of each new pixel of a line: the first old one that it takes, how many, and their weights. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `most` for each new pixel. */
  readonly weights: Int32Array;
  readonly most: number;
}

/** Weights of the new pixels from `begin` on where `from` pixels become `to`. */
function weightsOf(from: number, to: number, begin: number, count: number, kernel: Kernel): Weights {
  const scale = from / to;
  const widened = Math.max(scale, 1);
  const support = kernel.support * widened;
  const most = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(count);
  const counts = new Int32Array(count);
  const weights = new Int32Array(count * most);
  const line = new Float64Array(most);
  for (let i = 0; i < count; i++) {
    const center = (begin + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const length = Math.min(from, Math.trunc(center + support + 0.5)) - start;
    let sum = 0;
    for (let j = 0; j < length; j++) {
      line[j] = kernel.weight((j + start - center + 0.5) * (1 / widened));
      sum += line[j]!;
    }
    for (let j = 0; j < length; j++) {
      const weight = sum === 0 ? line[j]! : line[j]! / sum;
      weights[i * most + j] = Math.trunc(weight * (1 << BITS) + (weight < 0 ? -0.5 : 0.5));
    }
    first[i] = start;
    counts[i] = length;
  }
  return { first, count: counts, weights, most };
}

const byte = (sum: number): number => {
  const value = sum >> BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
};

/**
 * Of a picture of `channels` bytes a pixel that is resized to `width` × `height`, the pixels of a rectangle. The rectangle lies within the
 * new picture.
 */
export function resize(
  picture: Picture,
  channels: number,
  width: number,
  height: number,
  filter: Filter,
  { left, top, width: columns, height: rows }: Rectangle = { left: 0, top: 0, width, height },
): Picture {
  const { data, width: oldWidth, height: oldHeight } = picture;
  const isWhole = columns === width && rows === height;
  if (width === oldWidth && height === oldHeight && isWhole) return picture;
  const out = new Uint8Array(columns * rows * channels);
  const done = { width: columns, height: rows, data: out };
  if (filter === "nearest" || (width === oldWidth && height === oldHeight)) {
    const xs = nearest(oldWidth, width, left, columns);
    const ys = nearest(oldHeight, height, top, rows);
    let to = 0;
    for (const y of ys)
      for (const x of xs)
        for (let c = 0, from = (y * oldWidth + x) * channels; c < channels; c++) out[to++] = data[from++]!;
    return done;
  }
  const kernel = kernels[filter];
  const down = weightsOf(oldHeight, height, top, rows, kernel);
  const isFiltered = height !== oldHeight;
  const firstRow = isFiltered ? down.first[0]! : top;
  const lastRow = isFiltered ? down.first[rows - 1]! + down.count[rows - 1]! : top + rows;
  const across =
    width === oldWidth
      ? cutColumns(picture, channels, firstRow, lastRow, left, columns)
      : filterRows(
          picture,
          channels,
          firstRow,
          lastRow,
          weightsOf(oldWidth, width, left, columns, kernel),
          columns,
        );
  if (!isFiltered) return { ...done, data: across };
  const line = columns * channels;
  for (let y = 0; y < rows; y++) {
    const from = (down.first[y]! - firstRow) * line;
    const [length, weights] = [down.count[y]!, y * down.most];
    for (let x = 0; x < line; x++) {
      let sum = 1 << (BITS - 1);
      for (let j = 0, at = from + x; j < length; j++, at += line)
        sum += across[at]! * down.weights[weights + j]!;
      out[y * line + x] = byte(sum | 0);
    }
  }
  return done;
}

/** The rows from `first` to `last`, each of them filtered. */
function filterRows(
  { data, width }: Picture,
  channels: number,
  first: number,
  last: number,
  { first: starts, count, weights, most }: Weights,
  columns: number,
): Uint8Array {
  const out = new Uint8Array((last - first) * columns * channels);
  let to = 0;
  for (let y = first; y < last; y++)
    for (let x = 0; x < columns; x++) {
      const from = (y * width + starts[x]!) * channels;
      const [length, begin] = [count[x]!, x * most];
      for (let c = 0; c < channels; c++) {
        let sum = 1 << (BITS - 1);
        for (let j = 0, at = from + c; j < length; j++, at += channels)
          sum += data[at]! * weights[begin + j]!;
        out[to++] = byte(sum | 0);
      }
    }
  return out;
}

/** The rows from `first` to `last`, of each the pixels from `left` on. */
function cutColumns(
  { data, width }: Picture,
  channels: number,
  first: number,
  last: number,
  left: number,
  columns: number,
): Uint8Array {
  const line = columns * channels;
  const out = new Uint8Array((last - first) * line);
  for (let y = first; y < last; y++) {
    const from = (y * width + left) * channels;
    out.set(data.subarray(from, from + line), (y - first) * line);
  }
  return out;
}

/** The old pixel of each new one. The place is summed up step by step, as PIL does, since its rounding decides at the edges. */
function nearest(from: number, to: number, begin: number, count: number): Int32Array {
  const step = from / to;
  const places = new Int32Array(count);
  let place = step * 0.5;
  for (let i = 0; i < begin + count; i++, place += step)
    if (i >= begin) places[i - begin] = Math.min(from - 1, Math.trunc(place));
  return places;
}
