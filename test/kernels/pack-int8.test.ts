import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  BESIDE_COLUMNS,
  offsetInt8Bytes,
  packedDepthwiseInt8Bytes,
  packedInt8Bytes,
} from "../../assembly/int8/sizes";
import { alloc, brokenGuard, classes, expectSame, fillInts, int, random, reset } from "./harness";
import { window } from "./structs";

const up = (count: number, to: number) => Math.ceil(count / to) * to;

const SIZES = [0, 1, 3, 4, 8, 16, 17, 40];

describe.each(classes)("$name", ({ name, kernels: k8 }) => {
  beforeEach(reset);
  afterEach(() => expect(brokenGuard()).toBeUndefined());
  const isRelaxed = name.startsWith("relaxed");
  const group = isRelaxed ? 4 : 2;
  /** Where a group of a panel has column c: in baseline two columns, 4 apart, share a 16-bit lane. */
  const place = (c: number, k: number) =>
    name === "baseline" ? (c % 4) * 4 + k * 2 + Math.floor(c / 4) : c * group + k;
  /** What offsets make good where codes are multiplied as signed. */
  const shift = name === "relaxed, s8·s8" ? 128 : 0;

  // strides of element (column, row, tap, channel) in each order of a weight tensor
  const orders = {
    "n, rows, taps, channels": (_n: number, r: number, t: number, c: number) => [r * t * c, t * c, c, 1],
    "n, channels, rows, taps": (_n: number, r: number, t: number, c: number) => [c * r * t, t, 1, r * t],
    "rows, taps, channels, n": (n: number, _r: number, t: number, c: number) => [1, t * c * n, c * n, n],
    "channels, n, rows, taps": (n: number, r: number, t: number, _c: number) => [r * t, t, 1, n * r * t],
  };

  test.each(Object.entries(orders))("packWeightsInt8 from [%s]", (_, strides) => {
    const next = random(1);
    for (const n of SIZES)
      for (const [rows, taps] of [
        [1, 1],
        [1, 2],
        [1, 9],
        [3, 3],
        [2, 1],
      ] as const)
        for (const channels of SIZES) {
          reset();
          const k = taps * channels;
          const depth = up(k, group);
          const [strideN, strideRow, strideTap, strideC] = strides(n, rows, taps, channels) as [
            number,
            number,
            number,
            number,
          ];
          const w = fillInts(alloc(Int8Array, n * rows * k), next, -128, 127);
          const bias = n % 2 ? fillInts(alloc(Int32Array, n), next, -(2 ** 30), 2 ** 30) : undefined;
          const z = int(next, -255, 1);
          const by = z === 1 ? 1 : z + (name === "extmul" ? 128 : shift);
          const columns = channels % 3 ? 8 : BESIDE_COLUMNS;
          const length = up(n, columns) * up(rows * depth, 4);
          expect(packedInt8Bytes(n, k, rows, columns)).toBeGreaterThanOrEqual(length);
          const dst = alloc(Int8Array, length);
          const offset = alloc(Int32Array, offsetInt8Bytes(n) / 4);
          k8.packWeightsInt8(
            dst.byteOffset,
            offset.byteOffset,
            w.byteOffset,
            bias?.byteOffset ?? 0,
            z,
            n,
            rows,
            taps,
            channels,
            strideN,
            strideRow,
            strideTap,
            strideC,
            columns / 8,
          );
          const want = new Int8Array(dst.length);
          const sums = new Int32Array(n);
          for (let c = 0; c < n; c++)
            for (let row = 0; row < rows; row++)
              for (let i = 0; i < k; i++) {
                const [tap, channel] = [Math.floor(i / channels), i % channels];
                const value = w[c * strideN + row * strideRow + tap * strideTap + channel * strideC]!;
                const four = Math.floor(c / columns) * columns * up(rows * depth, 4);
                const panel = Math.floor((c % columns) / 8) * 8 * group;
                const at = row * depth + i;
                const step = Math.floor(at / group) * columns * group;
                want[four + panel + step + place(c % 8, at % group)] = value;
                sums[c]! += by * value;
              }
          expectSame(dst, want, `${[n, rows, taps, channels]}`);
          expectSame(
            offset.subarray(0, n),
            sums.map((s, c) => s + (bias?.[c] ?? 0)),
          );
          expect(brokenGuard()).toBeUndefined();
        }
  });

  test("packDepthwiseInt8", () => {
    const next = random(2);
    for (const channels of SIZES)
      for (const [kh, kw, stride, dilation] of [
        [1, 1, 1, 1],
        [3, 3, 1, 1],
        [3, 3, 2, 1],
        [5, 5, 1, 1],
        [5, 5, 2, 1],
        [2, 7, 1, 1],
        [3, 4, 1, 2],
      ] as const) {
        reset();
        const [strides, dilations] = [
          { strideH: stride, strideW: stride },
          { dilationH: dilation, dilationW: dilation },
        ];
        const image = { inH: kh, inW: kw, outH: 1, outW: 1, padTop: 0, padLeft: 0 };
        const { slide, at: windowAt } = window({ ...image, kh, kw, ...strides, ...dilations }, channels);
        const w = fillInts(alloc(Int8Array, channels * kh * kw), next, -128, 127);
        const bias = channels % 2 ? fillInts(alloc(Int32Array, channels), next, -1e9, 1e9) : undefined;
        const z = int(next, -255, 0);
        const element = isRelaxed ? Int8Array : Int16Array;
        const groups = Math.ceil(kh / group);
        const turn = dilation === 1 ? Math.floor((groups * group - kh) / stride) + 1 : 1;
        const length = Math.ceil(channels / 8) * 8 * turn * groups * group * kw;
        expect(packedDepthwiseInt8Bytes(slide)).toBeGreaterThanOrEqual(length * element.BYTES_PER_ELEMENT);
        const dst = alloc<Int8Array | Int16Array>(element, length);
        const offset = alloc(Int32Array, offsetInt8Bytes(channels) / 4);
        k8.packDepthwiseInt8(
          dst.byteOffset,
          offset.byteOffset,
          w.byteOffset,
          bias?.byteOffset ?? 0,
          z,
          windowAt,
        );
        const threes = stride === 1 && dilation === 1 ? kw - (kw % 3) : 0;
        const columns = Array.from({ length: groups * kw }, (_, i) => [Math.floor(i / kw), i % kw] as const);
        const order = [...columns.filter(([, j]) => j < threes), ...columns.filter(([, j]) => j >= threes)];
        const at = (c: number, tap: number, j: number) =>
          tap >= 0 && tap < kh && c < channels ? w[(c * kh + tap) * kw + j]! : 0;
        const want = new element(length);
        let i = 0;
        for (let block = 0; block < channels; block += 8)
          for (let row = 0; row < turn; row++)
            for (const [g, j] of order)
              for (let c = block; c < block + 8; c++)
                for (let tap = 0; tap < group; tap++) want[i++] = at(c, g * group + tap - row * stride, j);
        const sums = new Int32Array(offset.length);
        for (let c = 0; c < channels; c++)
          sums[c] = w
            .subarray(c * kh * kw, (c + 1) * kh * kw)
            .reduce((s, v) => s + (z + shift) * v, bias?.[c] ?? 0);
        expectSame(dst, want, `${[channels, kh, kw, stride, dilation]}`);
        expectSame(offset, sums);
        expect(brokenGuard()).toBeUndefined();
      }
  });
});
