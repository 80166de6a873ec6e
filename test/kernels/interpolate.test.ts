import { beforeEach, test } from "vitest";
import { inPieces, same } from "./float";
import { alloc, fillFloats, fillInts, loadCommon, random, reset } from "./harness";

const { interpolate } = loadCommon();
beforeEach(reset);

const f = Math.fround;

test.each(
  [1, 2, 3, 4, 7].flatMap((taps) => [1, 3, 4, 17].map((inner) => [taps, inner] as const)),
)("%i weights, %i elements side by side", (taps, inner) => {
  for (const [from, to] of [
    [taps, 1],
    [taps + 5, 17],
    [taps + 9, 3],
    [taps, 0],
  ] as const) {
    const next = random(taps + inner + to);
    const outer = 3;
    const x = fillFloats(alloc(Float32Array, outer * from * inner), next, -4, 4);
    const starts = fillInts(alloc(Int32Array, to), next, 0, from - taps);
    const weights = fillFloats(alloc(Float32Array, to * taps), next, -1, 1);
    const y = alloc(Float32Array, outer * to * inner);
    inPieces(y, outer, next, (begin, end) =>
      interpolate(
        ...([y.byteOffset, x.byteOffset, starts.byteOffset, weights.byteOffset] as const),
        ...([taps, from, to, inner, begin, end] as const),
      ),
    );
    same(
      y,
      Array.from(y, (_, at) => {
        const [o, j, i] = [Math.floor(at / (to * inner)), Math.floor(at / inner) % to, at % inner];
        const term = (t: number) => f(x[(o * from + starts[j]! + t) * inner + i]! * weights[j * taps + t]!);
        let sum = term(0);
        for (let t = 1; t < taps; t++) sum = f(sum + term(t));
        return sum;
      }),
    );
  }
});
