import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ADD,
  convInt8ScratchBytes,
  DEQUANTIZE,
  depthwiseInt8ScratchBytes,
  offsetInt8Bytes,
  packedDepthwiseInt8Bytes,
  packedInt8Bytes,
  SUMS,
} from "../../assembly/int8/sizes";
import { alloc, brokenGuard, classes, expectSame, fillInts, int, place, random, reset } from "./harness";
import { add, dequantize, dot, fieldsOf, requantize, someAddition, tapPixel } from "./oracle-int8";
import { epilogue, window } from "./structs";

/** One axis: input size, kernel, stride, dilation, padding before and after. */
type Axis = readonly [
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
  before: number,
  after: number,
];

const AXES: Axis[] = [
  [1, 1, 1, 1, 0, 0],
  [4, 1, 2, 1, 0, 0],
  [3, 3, 1, 1, 1, 1],
  [17, 3, 1, 1, 1, 1],
  [17, 3, 2, 1, 0, 1],
  [9, 3, 1, 2, 2, 2],
  [6, 5, 3, 1, 4, 4],
  [2, 4, 1, 3, 9, 9],
  [12, 2, 2, 1, 0, 0],
  [9, 1, 1, 1, 1, 0],
  [5, 3, 4, 1, 1, 1],
  [11, 10, 2, 1, 4, 5],
];

function windowOf(h: Axis, w: Axis) {
  const out = ([size, kernel, stride, dilation, before, after]: Axis) =>
    Math.floor((size + before + after - dilation * (kernel - 1) - 1) / stride) + 1;
  return {
    inH: h[0],
    inW: w[0],
    outH: out(h),
    outW: out(w),
    kh: h[1],
    kw: w[1],
    strideH: h[2],
    strideW: w[2],
    dilationH: h[3],
    dilationW: w[3],
    padTop: h[4],
    padLeft: w[4],
  };
}

type Window = ReturnType<typeof windowOf>;
const WINDOWS = AXES.flatMap((h, i) => [windowOf(h, h), windowOf(h, AXES[(i * 5 + 3) % AXES.length]!)]);

/** Rows longer than what depthwise has in scratch at once, and more of them. */
const LONG_ROWS: Axis[] = [
  [70, 3, 1, 1, 1, 1],
  [141, 3, 2, 1, 0, 1],
  [70, 5, 1, 1, 2, 2],
  [70, 4, 1, 3, 5, 4],
  [201, 2, 3, 1, 1, 1],
];
const DEPTHWISE = [...WINDOWS, ...LONG_ROWS.map((w, i) => windowOf(AXES[i * 2]!, w))];

const CHANNELS = [
  [1, 3],
  [3, 17],
  [4, 8],
  [17, 4],
  [16, 40],
] as const;

/** Index of the window, 3×3 on 3×3, that also meets patches larger than a block of rows. */
const LARGE = 4;

describe.each(classes)("$name", ({ kernels: k8 }) => {
  beforeEach(reset);
  afterEach(() => expect(brokenGuard()).toBeUndefined());

  const weights = (fill: string, w: Int8Array) =>
    fill === "random" ? w : w.fill(fill === "lowest" ? -128 : 127);

  function scales(next: () => number, n: number, k: number) {
    const spread = 255 / (128 * 128 * Math.sqrt(k));
    return place(
      Float32Array,
      Array.from({ length: n }, (_, c) => (c % 3 ? spread * next() : 2 ** -int(next, 1, 12))),
    );
  }

  /** A convolution to compute: operands in memory, and its exact sums. */
  function convolution(g: Window, seed: number, cin: number, cout: number, fill: string) {
    reset();
    const next = random(seed * 10 + cin);
    const batch = 1 + (seed % 2);
    const taps = g.kh * g.kw;
    const k = taps * cin;
    const ldx = cin + (seed % 3 ? 0 : 5);
    const ldy = cout + (seed % 4 ? 0 : 3);
    const x = fillInts(alloc(Uint8Array, batch * g.inH * g.inW * ldx), next, 0, 255);
    if (fill !== "random") x.fill(255);
    const w = weights(fill, fillInts(alloc(Int8Array, cout * k), next, -128, 127));
    const xZero = int(next, 0, 255);
    const pack = (bias: number, z: number) => {
      const panels = alloc(Uint8Array, packedInt8Bytes(cout, g.kw * cin, g.kh, 8));
      const offset = alloc(Int32Array, offsetInt8Bytes(cout) / 4);
      const [to, sums] = [panels.byteOffset, offset.byteOffset];
      const oihw = [k, g.kw, 1, taps] as const;
      k8.packWeightsInt8(to, sums, w.byteOffset, bias, z, cout, g.kh, g.kw, cin, ...oihw, 1);
      return [to, sums] as const;
    };
    const rows = batch * g.outH;
    const sums = (p: number) => {
      const patch = Array.from({ length: k }, (_, i) => {
        const at = tapPixel(g, p, Math.floor(i / cin));
        return at < 0 ? 0 : x[at * ldx + (i % cin)]! - xZero;
      });
      return Array.from({ length: cout }, (_, c) =>
        dot(
          k,
          (i) => patch[i]!,
          (i) => w[c * k + (i % cin) * taps + Math.floor(i / cin)]!,
        ),
      );
    };
    const { slide, at } = window(g, { cin, ldx, cout, ldy }, xZero);
    const scratch = alloc(Uint8Array, convInt8ScratchBytes(slide)).byteOffset;
    return { next, k, ldy, x, xZero, pack, rows, pixels: rows * g.outW, sums, scratch, window: at };
  }

  /** Runs in one piece and in two. */
  function expectRuns<T extends Uint8Array | Int32Array | Float32Array>(
    y: T,
    want: T,
    rows: number,
    next: () => number,
    label: string,
    run: (begin: number, end: number) => void,
  ) {
    const empty = y.slice();
    run(0, rows);
    expectSame(y, want, label);
    expect(brokenGuard()).toBeUndefined();
    y.set(empty);
    const cut = int(next, 0, rows);
    run(cut, rows);
    run(0, cut);
    expectSame(y, want, `${label} split at ${cut}`);
  }

  const eachConvolution = (run: (g: Window, seed: number, cin: number, cout: number) => void) =>
    WINDOWS.forEach((g, seed) => {
      for (const [cin, cout] of seed === LARGE ? [...CHANNELS, [700, 4] as const] : CHANNELS)
        run(g, seed, cin, cout);
    });

  test.each([
    "random",
    "lowest",
    "highest",
  ])("convInt8 to codes, and with others added, exact: %s", (fill) => {
    eachConvolution((g, seed, cin, cout) => {
      const { next, k, ldy, x, xZero, ...own } = convolution(g, seed, cin, cout, fill);
      const bias = fillInts(alloc(Int32Array, cout), next, -(2 ** 20), 2 ** 20);
      const codes = { zero: int(next, 0, 255), lo: int(next, 0, 20), hi: int(next, 200, 255) };
      const scale = scales(next, cout, k);
      const packed = own.pack(bias.byteOffset, -xZero);
      const y = alloc(Uint8Array, own.pixels * ldy);
      const want = y.slice();
      for (let p = 0; p < own.pixels; p++)
        own.sums(p).forEach((sum, c) => {
          want[p * ldy + c] = requantize((sum + bias[c]!) | 0, scale[c]!, codes);
        });
      const operands = [y.byteOffset, x.byteOffset, ...packed, scale.byteOffset] as const;
      const run = (addend: number, to: number) => (begin: number, end: number) =>
        k8.convInt8(...operands, addend, 0, 0, own.scratch, own.window, to, begin, end);
      expectRuns(y, want, own.rows, next, `${JSON.stringify(g)} ${cin}→${cout}`, run(0, epilogue(codes)));
      const other = fillInts(alloc(Uint8Array, y.length), next, 0, 255);
      const addition = someAddition((lo, hi) => int(next, lo, hi), seed % 2 === 0);
      const added = epilogue({ kind: ADD, ...codes, ...fieldsOf(addition) });
      const sums = y.slice().fill(0xcb);
      for (let p = 0; p < own.pixels; p++)
        for (let at = p * ldy; at < p * ldy + cout; at++)
          sums[at] = add(want[at]!, codes.zero, other[at]!, addition);
      const label = `${JSON.stringify(g)} ${cin}→${cout}, added`;
      expectRuns(y.fill(0xcb), sums, own.rows, next, label, run(other.byteOffset, added));
    });
  });

  test.each(["random", "lowest", "highest"])("convInt8 to sums, exact: %s", (fill) => {
    eachConvolution((g, seed, cin, cout) => {
      const { next, ldy, x, xZero, ...own } = convolution(g, seed, cin, cout, fill);
      const bias = fillInts(alloc(Int32Array, cout), next, -(2 ** 20), 2 ** 20);
      const packed = own.pack(bias.byteOffset, -xZero);
      const y = alloc(Int32Array, own.pixels * ldy);
      const want = y.slice();
      for (let p = 0; p < own.pixels; p++)
        own.sums(p).forEach((sum, c) => {
          want[p * ldy + c] = sum + bias[c]!;
        });
      const operands = [y.byteOffset, x.byteOffset, ...packed, 0, 0, 0, 0] as const;
      const to = epilogue({ kind: SUMS });
      expectRuns(y, want, own.rows, next, `${JSON.stringify(g)} ${cin}→${cout}`, (begin, end) =>
        k8.convInt8(...operands, own.scratch, own.window, to, begin, end),
      );
    });
  });

  test.each(["random", "lowest", "highest"])("convInt8 to f32, exact: %s", (fill) => {
    eachConvolution((g, seed, cin, cout) => {
      const { next, k, ldy, x, xZero, ...own } = convolution(g, seed, cin, cout, fill);
      const [packed, colsum] = own.pack(0, 1);
      const scale = scales(next, cout, k);
      const bias =
        seed % 2
          ? place(
              Float32Array,
              scale.map(() => next() - 0.5),
            )
          : undefined;
      const range = [place(Float32Array, [0.03]), place(Int32Array, [xZero])] as const;
      const bounds = seed % 3 ? ([-Infinity, Infinity] as const) : ([0, 6] as const);
      const y = alloc(Float32Array, own.pixels * ldy);
      const want = y.slice();
      for (let p = 0; p < own.pixels; p++)
        own.sums(p).forEach((sum, c) => {
          want[p * ldy + c] = dequantize(sum, 0, scale[c]!, bias?.[c] ?? 0, range[0][0]!, 0, ...bounds);
        });
      const operands = [y.byteOffset, x.byteOffset, packed, colsum, scale.byteOffset] as const;
      const more = [bias?.byteOffset ?? 0, range[0].byteOffset, range[1].byteOffset] as const;
      const to = epilogue({ kind: DEQUANTIZE, lo: bounds[0], hi: bounds[1] });
      expectRuns(y, want, own.rows, next, `${JSON.stringify(g)} ${cin}→${cout}`, (begin, end) =>
        k8.convInt8(...operands, ...more, own.scratch, own.window, to, begin, end),
      );
    });
  });

  test.each(["random", "lowest", "highest"])("depthwiseInt8, exact: %s", (fill) => {
    DEPTHWISE.forEach((g, seed) => {
      for (const channels of [1, 3, 4, 16, 17, 40]) {
        reset();
        const next = random(seed * 10 + channels);
        const batch = 1 + (seed % 2);
        const taps = g.kh * g.kw;
        const x = fillInts(alloc(Uint8Array, batch * g.inH * g.inW * channels), next, 0, 255);
        if (fill !== "random") x.fill(255);
        const w = weights(fill, fillInts(alloc(Int8Array, channels * taps), next, -128, 127));
        const bias = fillInts(alloc(Int32Array, channels), next, -(2 ** 16), 2 ** 16);
        const xZero = int(next, 0, 255);
        const codes = { zero: int(next, 0, 255), lo: int(next, 0, 20), hi: int(next, 200, 255) };
        const scale = scales(next, channels, taps);
        const { slide, at } = window(g, channels, xZero);
        const packed = alloc(Uint8Array, packedDepthwiseInt8Bytes(slide));
        const offset = alloc(Int32Array, offsetInt8Bytes(channels) / 4);
        k8.packDepthwiseInt8(packed.byteOffset, offset.byteOffset, w.byteOffset, bias.byteOffset, -xZero, at);
        const rows = batch * g.outH;
        const y = alloc(Uint8Array, rows * g.outW * channels);
        const scratch = alloc(Uint8Array, depthwiseInt8ScratchBytes(slide));
        const want = y.slice();
        for (let p = 0; p < rows * g.outW; p++)
          for (let c = 0; c < channels; c++) {
            const value = (t: number) => {
              const at = tapPixel(g, p, t);
              return at < 0 ? 0 : x[at * channels + c]! - xZero;
            };
            const sum = dot(taps, value, (t) => w[c * taps + t]!);
            want[p * channels + c] = requantize((sum + bias[c]!) | 0, scale[c]!, codes);
          }
        const to = epilogue(codes);
        const run = (begin: number, end: number) =>
          k8.depthwiseInt8(
            y.byteOffset,
            x.byteOffset,
            packed.byteOffset,
            offset.byteOffset,
            scale.byteOffset,
            scratch.byteOffset,
            at,
            to,
            begin,
            end,
          );
        run(0, rows);
        expectSame(y, want, `${JSON.stringify(g)} ${channels}`);
        expect(brokenGuard()).toBeUndefined();
        y.fill(0xcb);
        const cut = int(next, 0, rows);
        run(cut, rows);
        run(0, cut);
        expectSame(y, want, `${JSON.stringify(g)} ${channels} split at ${cut}`);
      }
    });
  });
});
