// Watches the numbers of one value while the float model runs: exact extremes, a histogram whose range grows with the
// data, and means of channels, all in constant memory and one pass. What it holds in the end depends on the data alone,
// not on how they were cut into batches.

import { sizeOf, type TypedArray } from "../graph/tensor";
import { flatChannels } from "../ops/layout";
import type { Layout } from "../ops/op";

/** Bins of a histogram: 16 kB of counts, which stay in the nearest cache while they are filled. */
export const BINS = 2048;
/** Width that no two f32 numbers of interest are closer than; widths are this times a power of two. */
const SMALLEST_WIDTH = 2 ** -126;

const { floor, max, min } = Math;

/** A value as observed: ONNX's order of dimensions, and how its elements lie in memory. */
export interface TappedValue {
  readonly shape: readonly number[];
  readonly layout: Layout;
  readonly data: TypedArray;
}

/** Counts of values in bins [i·width, (i+1)·width), i = first, first + 1, …; exact zeros are counted apart. */
export interface Histogram {
  readonly counts: Float64Array;
  /** The number in a bin where all that fell into it are equal, else NaN: pixels and clipped values are not spread. */
  readonly single: Float32Array;
  readonly first: number;
  readonly width: number;
  readonly zeros: number;
  readonly min: number;
  readonly max: number;
}

export class Observer {
  /** Count of finite numbers seen. */
  count = 0;
  /** NaN and infinite numbers, which are left out of everything else. */
  notFinite = 0;
  min = Infinity;
  max = -Infinity;
  #zeros = 0;
  /** The window of the histogram. Widths are powers of two, so two bins merge into exactly one of twice the width. */
  #counts = new Float64Array(BINS);
  #single = new Float32Array(BINS);
  #first = 0;
  #width = SMALLEST_WIDTH;

  observe({ data }: Pick<TappedValue, "data">): void {
    let floats = data instanceof Float32Array ? data : Float32Array.from(data);
    let extremes = extremesOf(floats);
    if (!(Number.isFinite(extremes.lo) && Number.isFinite(extremes.hi))) {
      const all = floats.length;
      floats = floats.filter(Number.isFinite);
      this.notFinite += all - floats.length;
      extremes = extremesOf(floats);
    }
    if (floats.length === 0) return;
    this.count += floats.length;
    this.min = min(this.min, extremes.lo);
    this.max = max(this.max, extremes.hi);
    this.#zeros += extremes.zeros;
    this.#cover(this.min, this.max);
    const counts = this.#counts;
    const single = this.#single;
    const perUnit = 1 / this.#width; // a power of two, so x · perUnit is exact
    const shift = -this.#first;
    for (let i = 0; i < floats.length; i++) {
      const x = floats[i]!;
      const bin = (x * perUnit + shift) | 0;
      const only = single[bin]!;
      // biome-ignore lint/suspicious/noSelfCompare: false for NaN, and faster than a call
      if (only !== x && only === only) single[bin] = counts[bin] === 0 ? x : Number.NaN;
      counts[bin]!++;
    }
    counts[shift]! -= extremes.zeros; // they fell into the bin that starts at zero
  }

  histogram(): Histogram {
    return {
      counts: this.#counts,
      single: this.#single,
      first: this.#first,
      width: this.#width,
      zeros: this.#zeros,
      min: this.count ? this.min : 0,
      max: this.count ? this.max : 0,
    };
  }

  /** Moves or widens the window until it holds [lo, hi] and zero. The width ends as the smallest that fits. */
  #cover(lo: number, hi: number): void {
    const low = min(0, lo);
    const high = max(0, hi);
    const binsNeeded = () => floor(high / this.#width) - floor(low / this.#width) + 1;
    while (binsNeeded() > BINS) {
      const first = floor(this.#first / 2);
      this.#move((bin) => floor((this.#first + bin) / 2) - first);
      this.#first = first;
      this.#width *= 2;
    }
    const shift = this.#first - floor(low / this.#width);
    if (shift === 0) return;
    this.#move((bin) => bin + shift);
    this.#first -= shift;
  }

  /** Adds every bin that holds something to the one it moves to. */
  #move(target: (bin: number) => number): void {
    const [counts, single] = [new Float64Array(BINS), new Float32Array(BINS)];
    this.#counts.forEach((count, bin) => {
      if (count === 0) return;
      const to = target(bin);
      single[to] = counts[to] === 0 || single[to] === this.#single[bin] ? this.#single[bin]! : Number.NaN;
      counts[to]! += count;
    });
    [this.#counts, this.#single] = [counts, single];
  }
}

/** The bits of ±infinity as integers that sort as the numbers do. */
const INFINITY_KEY = 0x7f800000;

/**
 * Smallest and largest number and how many are zero; an end is infinite where one is infinite or NaN. Works on the bits
 * as integers, six times as fast as on floats: positive ones sort as they are, negative ones with all but the sign flipped.
 */
function extremesOf(data: Float32Array): { lo: number; hi: number; zeros: number } {
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  let lo = INFINITY_KEY;
  let hi = ~INFINITY_KEY;
  let nonzero = 0;
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i]!;
    const key = b ^ ((b >> 31) >>> 1);
    if (key < lo) lo = key;
    if (key > hi) hi = key;
    const magnitude = b << 1;
    nonzero = (nonzero + ((magnitude | -magnitude) >>> 31)) | 0;
  }
  const number = (key: number) => {
    if (key >= INFINITY_KEY || key <= ~INFINITY_KEY) return key < 0 ? -Infinity : Infinity;
    return new Float32Array(new Int32Array([key ^ ((key >> 31) >>> 1)]).buffer)[0]!;
  };
  return { lo: number(lo), hi: number(hi), zeros: bits.length - nonzero };
}

/** Mean of every index of one axis (counted from the end if negative), over all samples. Values that are not finite count as 0. */
export class ChannelMeans {
  #sums: Float64Array | undefined;
  #samples = 0;
  readonly #axis: number;

  constructor(axis: number) {
    this.#axis = axis;
  }

  /** Means in ONNX's order of elements. Undefined when nothing was seen. */
  means(): Float64Array | undefined {
    return this.#samples === 0 ? undefined : this.#sums?.map((sum) => sum / this.#samples);
  }

  /** Adds to the sum of every channel, sample by sample, so that neither layout nor batch size moves a bit. */
  observe({ shape, layout, data }: TappedValue): void {
    const axis = this.#axis < 0 ? shape.length + this.#axis : this.#axis;
    const channels = shape[axis]!;
    const sums = (this.#sums ??= new Float64Array(channels));
    this.#samples += channels === 0 ? 0 : data.length / channels;
    const flat = flatChannels(layout);
    if (flat) {
      // [n][spatial][C] in memory, feature c·spatial + s in ONNX's order.
      const spatial = channels / flat;
      for (let at = 0; at < data.length; at += channels)
        for (let s = 0, i = at; s < spatial; s++)
          for (let c = 0; c < flat; c++, i++) sums[c * spatial + s]! += finite(data[i]!);
      return;
    }
    const inner =
      layout === "channelsLast"
        ? innerOf(channelsLast(shape), axis === 1 ? -1 : axis - 1)
        : innerOf(shape, axis);
    for (let at = 0; at < data.length; )
      for (let c = 0; c < channels; c++) {
        let sum = sums[c]!;
        for (let s = 0; s < inner; s++, at++) sum += finite(data[at]!);
        sums[c] = sum;
      }
  }
}

/** The order of dimensions that a channels-last value has in memory. */
const channelsLast = (shape: readonly number[]) => [shape[0]!, ...shape.slice(2), shape[1]!];

/** Elements from one index of an axis to the next. */
const innerOf = (shape: readonly number[], axis: number) => (axis === -1 ? 1 : sizeOf(shape.slice(axis + 1)));

const finite = (x: number): number => (x - x === 0 ? x : 0);
