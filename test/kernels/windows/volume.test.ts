import { beforeEach, expect, test } from "vitest";
import { convScratchBytes, packedBytes } from "../../../assembly/f32/sizes";
import { LARGEST, LARGEST_BYTE, MEAN, NORM, TAPS_BYTES } from "../../../assembly/windows/sizes";
import { Volume } from "../../../assembly/windows/window";
import { inPieces, same } from "../float";
import { alloc, fillFloats, fillInts, loadCommon, place, random, reset } from "../harness";

const { convVolume, depthwiseVolume, maxPoolPlaces, packWeights, poolVolume, scatterPlaces } = loadCommon();
beforeEach(reset);

const { fround, min, max } = Math;

// n, depth, height, width, cin, cout, kernel, strides, dilations, begins, ends
const SHAPES = [
  [1, [1, 1, 1], 1, 1, [1, 1, 1], [1, 1, 1], [1, 1, 1], [0, 0, 0], [0, 0, 0]],
  [2, [4, 3, 5], 3, 8, [2, 3, 3], [1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]],
  [1, [5, 6, 9], 17, 4, [3, 2, 3], [2, 2, 3], [1, 2, 2], [0, 1, 3], [2, 1, 0]],
  [1, [3, 2, 4], 4, 17, [3, 1, 2], [1, 2, 1], [1, 1, 1], [2, 0, 1], [0, 0, 1]],
] as const;
const CASES = SHAPES.map((shape) => [shape.join(" "), shape] as const);

function volumeOf([, size, cin, cout, k, stride, dilation, begin, end]: (typeof SHAPES)[number], all = 0) {
  const out = size.map(
    (n, i) => Math.floor((n + begin[i]! + end[i]! - (k[i]! - 1) * dilation[i]! - 1) / stride[i]!) + 1,
  ) as [number, number, number];
  const w = new Volume();
  [w.inD, w.inH, w.inW] = size;
  [w.outD, w.outH, w.outW] = out;
  [w.kd, w.kh, w.kw] = k;
  [w.strideD, w.strideH, w.strideW] = stride;
  [w.dilationD, w.dilationH, w.dilationW] = dilation;
  [w.padFront, w.padTop, w.padLeft] = begin;
  if (all) [w.coverD, w.coverH, w.coverW] = size.map((n, i) => n + end[i]!) as [number, number, number];
  Object.assign(w, { cin, ldx: cin, cout, ldy: cout, lineY: out[2] * cout });
  w.sliceY = out[1] * w.lineY;
  w.volumeY = out[0] * w.sliceY;
  return w;
}

/** Visits each output pixel with its taps in the volume: pixel of x and number of the tap, in order. */
function eachPixel(
  n: number,
  w: Volume,
  visit: (y: number, taps: [x: number, tap: number][], count: number) => void,
) {
  const axes = [
    [w.inD, w.kd, w.strideD, w.dilationD, w.padFront, w.coverD],
    [w.inH, w.kh, w.strideH, w.dilationH, w.padTop, w.coverH],
    [w.inW, w.kw, w.strideW, w.dilationW, w.padLeft, w.coverW],
  ] as const;
  let y = 0;
  for (let image = 0; image < n; image++)
    for (let z = 0; z < w.outD; z++)
      for (let r = 0; r < w.outH; r++)
        for (let p = 0; p < w.outW; p++) {
          const taps: [number, number][] = [];
          let counted = 0;
          for (let t = 0; t < w.kd * w.kh * w.kw; t++) {
            const at = [Math.floor(t / (w.kh * w.kw)), Math.floor(t / w.kw) % w.kh, t % w.kw];
            const pixel = axes.map(
              ([, , stride, dilation, pad], i) => [z, r, p][i]! * stride - pad + at[i]! * dilation,
            );
            if (pixel.every((v, i) => v >= 0 && v < axes[i]![0]))
              taps.push([((image * w.inD + pixel[0]!) * w.inH + pixel[1]!) * w.inW + pixel[2]!, t]);
            if (pixel.every((v, i) => v < axes[i]![5])) counted++;
          }
          visit(y++, taps, w.coverW ? counted : taps.length);
        }
}

const structOf = (w: Volume) => place(Int32Array, Int32Array.from(Object.values(w))).byteOffset;
const add = (sum: number, x: number, w: number) => fround(sum + fround(x * w));

test.each(CASES)("%s: convolutions, bit-equal to scalar f32", (_, shape) => {
  const w = volumeOf(shape);
  const [n] = shape;
  const [taps, lines] = [w.kd * w.kh * w.kw, n * w.outD * w.outH];
  const next = random(taps * w.cin);
  const x = fillFloats(alloc(Float32Array, n * w.inD * w.inH * w.inW * w.cin), next, -2, 2);
  const weights = fillFloats(alloc(Float32Array, w.cout * w.cin * taps), next, -1, 1);
  const bias = fillFloats(alloc(Float32Array, max(w.cout, w.cin)), next, -1, 1);
  const y = alloc(Float32Array, lines * w.outW * w.cout);
  const packed = alloc(Uint8Array, packedBytes(w.cout, taps * w.cin)).byteOffset;
  packWeights(packed, weights.byteOffset, w.cout, taps, w.cin, taps * w.cin, 1, taps);
  const scratch = alloc(Uint8Array, convScratchBytes(lines, w.outW, w.kd * w.kh, w.kw * w.cin)).byteOffset;
  const at = structOf(w);
  inPieces(y, lines, next, (begin, end) =>
    convVolume(y.byteOffset, x.byteOffset, packed, bias.byteOffset, scratch, at, -1, 1.5, begin, end),
  );
  const expected = new Float32Array(y.length);
  eachPixel(n, w, (pixel, seen) => {
    for (let o = 0; o < w.cout; o++) {
      let sum = 0;
      for (const [p, t] of seen)
        for (let c = 0; c < w.cin; c++)
          sum = add(sum, x[p * w.cin + c]!, weights[(o * w.cin + c) * taps + t]!);
      expected[pixel * w.cout + o] = min(max(fround(sum + bias[o]!), -1), 1.5);
    }
  });
  same(y, expected);

  const own = Object.assign(volumeOf(shape), { cout: w.cin, ldy: w.cin, lineY: w.outW * w.cin });
  own.sliceY = own.outH * own.lineY;
  own.volumeY = own.outD * own.sliceY;
  const z = alloc(Float32Array, lines * w.outW * w.cin);
  const ownAt = structOf(own);
  inPieces(z, lines, next, (begin, end) =>
    depthwiseVolume(z.byteOffset, x.byteOffset, weights.byteOffset, 0, ownAt, -1, 1.5, begin, end),
  );
  const each = new Float32Array(z.length);
  eachPixel(n, own, (pixel, seen) => {
    for (let c = 0; c < w.cin; c++) {
      let sum = 0;
      for (const [p, t] of seen) sum = add(sum, x[p * w.cin + c]!, weights[t * w.cin + c]!);
      each[pixel * w.cin + c] = min(max(sum, -1), 1.5);
    }
  });
  same(z, each);
});

test.each(CASES)("%s: poolings", (_, shape) => {
  const [n] = shape;
  const scratch = alloc(Uint8Array, TAPS_BYTES).byteOffset;
  for (const all of [0, 1]) {
    const w = volumeOf(shape, all);
    const lines = n * w.outD * w.outH;
    const next = random(w.cin + all);
    const x = fillFloats(alloc(Float32Array, n * w.inD * w.inH * w.inW * w.cin), next, -2, 2);
    const codes = fillInts(alloc(Uint8Array, x.length), next, 0, 255);
    const [y, places] = [
      alloc(Float32Array, lines * w.outW * w.cin),
      alloc(Int32Array, lines * w.outW * w.cin),
    ];
    const bytes = alloc(Uint8Array, y.length);
    const at = structOf(w);
    const made = (how: number, to: ArrayBufferView, from: ArrayBufferView, power = 0) =>
      inPieces(to, lines, next, (begin, end) =>
        poolVolume(to.byteOffset, from.byteOffset, at, scratch, how, power, begin, end),
      );
    const check = (
      to: ArrayLike<number>,
      of: ArrayLike<number>,
      f: (values: number[], count: number) => number,
    ) => {
      const expected = Array.from({ length: to.length }, () => 0);
      eachPixel(n, w, (pixel, seen, count) => {
        for (let c = 0; c < w.cin; c++)
          expected[pixel * w.cin + c] = f(
            seen.map(([p]) => of[p * w.cin + c]!),
            count,
          );
      });
      same(to, expected);
    };
    const sum = (values: readonly number[]) => values.reduce((a, b) => fround(a + b), 0);
    made(LARGEST, y, x);
    check(y, x, (values) => max(...values));
    made(LARGEST_BYTE, bytes, codes);
    check(bytes, codes, (values) => max(...values));
    made(MEAN, y, x);
    check(y, x, (values, count) => fround(sum(values) / count));
    made(NORM, y, x, 1);
    check(y, x, (values) => sum(values.map(Math.abs)));
    made(NORM, y, x, 2);
    check(y, x, (values) => fround(Math.sqrt(sum(values.map((v) => fround(v * v))))));
    const size = w.inD * w.inH * w.inW;
    inPieces(places, lines, next, (begin, end) =>
      maxPoolPlaces(y.byteOffset, places.byteOffset, x.byteOffset, at, scratch, 0, begin, end),
    );
    eachPixel(n, w, (pixel, seen) => {
      for (let c = 0; c < w.cin; c++) {
        const best = seen.reduce((a, b) => (x[b[0] * w.cin + c]! > x[a[0] * w.cin + c]! ? b : a));
        const image = Math.floor(best[0] / size);
        expect(places[pixel * w.cin + c]).toBe((image * w.cin + c) * size + (best[0] - image * size));
        expect(y[pixel * w.cin + c]).toBe(x[best[0] * w.cin + c]);
      }
    });
  }
});

test("scatterPlaces writes each element to its place, and none outside", () => {
  const [x, places] = [place(Float32Array, [1, 2, 3]), place(Int32Array, [4, -1, 9])];
  const y = place(Float32Array, [0, 0, 0, 0, 0]);
  scatterPlaces(y.byteOffset, x.byteOffset, places.byteOffset, 5, 0, 3);
  expect([...y]).toEqual([0, 0, 0, 0, 1]);
});
