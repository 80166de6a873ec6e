import { beforeEach, expect, test } from "vitest";
import { inPieces, same, ulps } from "../float";
import { alloc, loadCommon, place, random, reset } from "../harness";

const { rotaryAngles } = loadCommon();
beforeEach(reset);

const f = Math.fround;

/** The polynomials of FreeBSD's k_sinf.c and k_cosf.c, and Cody and Waite's reduction, in f64. */
function turned(x: number): [cos: number, sin: number] {
  const product = x * 0.6366197723675814;
  const low = Math.floor(product);
  const rest = product - low;
  const k = rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
  const r = x - k * 1.5707963267341256 - k * 6.077100506506192e-11;
  const z = r * r;
  const w = z * z;
  const sin =
    r +
    z * r * (-0.16666666641626524 + z * 0.008333329385889463) +
    z * r * w * (-0.00019839334836096632 + z * 2.718311493989822e-6);
  const cos =
    1 +
    z * -0.499999997251031 +
    w * 0.04166662332373906 +
    w * z * (-0.001388676377460993 + z * 2.439044879627741e-5);
  switch (((k % 4) + 4) % 4) {
    case 0:
      return [cos, sin];
    case 1:
      return [-sin, cos];
    case 2:
      return [-cos, -sin];
    default:
      return [sin, -cos];
  }
}

/** Frequencies of a head of 128 elements, and some that are none of a power. */
const powers = Array.from({ length: 64 }, (_, i) => f(10000 ** (-i / 64)));

test.each([0, 1, 3, 4, 17, 64])("%i frequencies: the same bits as scalar f64 arithmetic", (n) => {
  const next = random(n + 1);
  const frequencies = place(
    Float32Array,
    n === 64 ? powers : Array.from({ length: n }, () => next() * 2 - 1),
  );
  for (const [position, tokens, scale] of [
    [0, 1, 1],
    [0, 7, 1],
    [131, 3, f(1.1)],
    [1048000, 5, f(0.1)],
  ] as const) {
    const cos = alloc(Float32Array, tokens * n);
    const sin = alloc(Float32Array, tokens * n);
    const run = (b: number, e: number) =>
      rotaryAngles(cos.byteOffset, sin.byteOffset, frequencies.byteOffset, n, position, scale, b, e);
    inPieces(cos, tokens, next, run);
    inPieces(sin, tokens, next, run);
    run(0, tokens);
    const want = Array.from({ length: tokens }, (_, t) =>
      Array.from(frequencies, (frequency) => turned(f((position + t) * frequency))),
    ).flat();
    same(
      cos,
      want.map(([c]) => f(scale * c)),
    );
    same(
      sin,
      want.map(([, s]) => f(scale * s)),
    );
  }
});

test("within 1 ulp of cosine and sine up to 2^20", () => {
  const next = random(9);
  const n = 4096;
  /** Near multiples of π/2, where most of an angle cancels, and anywhere. */
  const angles = Array.from({ length: n }, (_, i) =>
    i % 2 ? next() * 2 ** (next() * 40 - 20) : Math.floor(next() * 2 ** (next() * 19.3)) * (Math.PI / 2),
  );
  const frequencies = place(Float32Array, angles);
  const [cos, sin] = [alloc(Float32Array, n), alloc(Float32Array, n)];
  rotaryAngles(cos.byteOffset, sin.byteOffset, frequencies.byteOffset, n, 1, 1, 0, 1);
  const worst = Math.max(
    ...Array.from(frequencies, (x, i) => Math.max(ulps(cos[i]!, Math.cos(x)), ulps(sin[i]!, Math.sin(x)))),
  );
  expect(worst).toBeLessThan(0.51);
});
