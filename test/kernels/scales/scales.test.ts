import { beforeEach, test } from "vitest";
import { inPieces, rne, SIZES, same } from "../float";
import { alloc, fillFloats, fillInts, loadCommon, random, reset } from "../harness";

const { dequantizeBy, quantizeBy } = loadCommon();
beforeEach(reset);

/** n, block, outer, step, each: one in all, by a middle axis, by the last one, by blocks of two. */
const FORMS = [
  [1, 1, 0, 0, 0],
  [3, 1, 0, 1, 0],
  [1, 1, 0, 0, 1],
  [3, 2, 2, 1, 1],
] as const;
const CASES = SIZES.filter((size) => size < 20).flatMap((inner) =>
  FORMS.map((form) => [inner, form] as const),
);
const ROWS = 6;

test.each(CASES)("rows of %i, form %o: bit-equal to scalar f32", (inner, [n, block, outer, step, each]) => {
  const next = random(inner + n);
  const by = step && each ? inner : step;
  const own = outer && each ? outer * inner : outer;
  const place = (r: number, i: number) =>
    Math.floor(r / n) * own + Math.floor((r % n) / block) * by + (each ? i : 0);
  const count = place(ROWS - 1, Math.max(0, inner - 1)) + 1;
  const scale = fillFloats(alloc(Float32Array, Math.max(1, count)), next, 0.1, 2);
  for (const wide of [0, 1]) {
    const ints = (count: number) =>
      wide
        ? fillInts(alloc(Int32Array, count), next, 0, 255)
        : fillInts(alloc(Uint8Array, count), next, 0, 255);
    const zero = ints(scale.length);
    const codes = ints(ROWS * inner);
    const x = fillFloats(alloc(Float32Array, ROWS * inner), next, -300, 300);
    for (const at of [zero.byteOffset, 0]) {
      const z = (i: number) => (at ? zero[i]! : 7);
      const form = [7, inner, n, block, own, by, each, wide] as const;
      const y = alloc(Float32Array, ROWS * inner);
      inPieces(y, ROWS, next, (begin, end) =>
        dequantizeBy(y.byteOffset, codes.byteOffset, scale.byteOffset, at, ...form, begin, end),
      );
      const each4 = <T>(f: (i: number, s: number) => T) =>
        Array.from({ length: ROWS * inner }, (_, i) => f(i, place(Math.floor(i / inner), i % inner)));
      same(
        y,
        each4((i, s) => Math.fround((codes[i]! - z(s)) * scale[s]!)),
      );
      const q = ints(ROWS * inner);
      inPieces(q, ROWS, next, (begin, end) =>
        quantizeBy(q.byteOffset, x.byteOffset, scale.byteOffset, at, ...form, begin, end),
      );
      same(
        q,
        each4((i, s) => {
          const code = rne(Math.fround(x[i]! / scale[s]!)) + z(s);
          return wide ? code : Math.min(255, Math.max(0, code));
        }),
      );
    }
  }
});
