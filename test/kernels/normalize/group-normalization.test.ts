import { beforeEach, expect, test } from "vitest";
import { inPieces, SIZES, same, ulps } from "../float";
import { alloc, fillFloats, loadCommon, random, reset } from "../harness";

const kernels = loadCommon();
beforeEach(reset);

const f = Math.fround;

/** Sixteen at a time in four vectors, the end in the first. */
function sum(values: readonly number[]): number {
  const parts = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
  const whole = values.length & ~15;
  for (const [i, value] of values.entries()) {
    const part = parts[i < whole ? (i >> 2) & 3 : 0]!;
    part[i & 3] = f(part[i & 3]! + value);
  }
  const [l0, l1, l2, l3] = [0, 1, 2, 3].map((l) => {
    const [a, b, c, d] = parts.map((part) => part[l]!) as [number, number, number, number];
    return f(f(a + c) + f(b + d));
  }) as [number, number, number, number];
  return f(f(l0 + l2) + f(l1 + l3));
}

test.each(
  SIZES.filter((n) => n > 0).flatMap((size) => [1, 3].map((runs) => [size, runs] as const)),
)("runs of %i, %i a group: f32 arithmetic in the stated order, to the bit", (size, runs) => {
  const [samples, groups] = [2, 2];
  const next = random(size);
  for (const scales of [groups * runs, groups]) {
    const x = fillFloats(alloc(Float32Array, samples * groups * runs * size), next, -3, 5);
    const scale = fillFloats(alloc(Float32Array, scales), next, 0.5, 2);
    const bias = fillFloats(alloc(Float32Array, scales), next, -1, 1);
    const y = alloc(Float32Array, x.length);
    const at = [x, scale, bias].map((operand) => operand.byteOffset) as [number, number, number];
    const epsilon = f(1e-5);
    inPieces(y, samples * groups, next, (b, e) =>
      kernels.groupNormalization(y.byteOffset, ...at, groups, runs, size, scales, epsilon, b, e),
    );
    const all = runs * size;
    const expected = Array.from(x, (v, i) => {
      const group = Array.from(x.subarray(Math.floor(i / all) * all, (Math.floor(i / all) + 1) * all));
      const m = f(sum(group) / all);
      const variance = f(sum(group.map((v) => f(f(v - m) * f(v - m)))) / all);
      const s = f(1 / f(Math.sqrt(f(variance + epsilon))));
      const own = Math.floor(((i % (groups * all)) * scales) / (groups * all));
      return f(f(f(v - m) * f(s * scale[own]!)) + bias[own]!);
    });
    same(y, expected);
    kernels.groupNormalization(x.byteOffset, ...at, groups, runs, size, scales, epsilon, 0, samples * groups);
    same(x, expected);
  }
});

test.each(SIZES)("localResponse over %i elements: within 32 ulp", (inner) => {
  const [samples, channels] = [2, 5];
  const next = random(inner);
  const x = fillFloats(alloc(Float32Array, samples * channels * inner), next, -3, 3);
  const y = alloc(Float32Array, x.length);
  for (const [before, behind] of [
    [0, 0],
    [1, 2],
    [9, 9],
  ] as const) {
    inPieces(y, samples * channels, next, (b, e) =>
      kernels.localResponse(y.byteOffset, x.byteOffset, channels, inner, before, behind, 0.5, 0.75, 2, b, e),
    );
    for (const [i, value] of y.entries()) {
      const c = Math.floor(i / inner) % channels;
      let sum = 0;
      for (let d = Math.max(0, c - before); d <= Math.min(channels - 1, c + behind); d++)
        sum += x[i + (d - c) * inner]! ** 2;
      expect(ulps(value, x[i]! * (2 + 0.5 * sum) ** -0.75)).toBeLessThan(32);
    }
  }
});
