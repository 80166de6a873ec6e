import { beforeEach, expect, test } from "vitest";
import { inPieces, SIZES } from "../../kernels/float";
import { alloc, fillFloats, int, loadCommon, loadTrain, place, random, reset } from "../../kernels/harness";

const { negativeLogLikelihood } = loadCommon();
const { negativeLogLikelihoodGradient } = loadTrain();
beforeEach(reset);

const IGNORED = 1;
const CLASSES = 4;

test.each(
  SIZES.filter((n) => n > 0).flatMap((n) => [1, 3].map((inner) => [n, inner] as const)),
)("%i samples of %i: losses, shares and gradients, weighted or not", (samples, inner) => {
  const next = random(samples);
  const x = fillFloats(alloc(Float32Array, samples * CLASSES * inner), next, -4, 0);
  // One label in some names no class.
  const labels = place(
    Int32Array,
    Array.from({ length: samples * inner }, () => int(next, -1, CLASSES)),
  );
  for (const weights of [undefined, place(Float32Array, [0.5, 2, 1, 0.25])]) {
    const at = weights?.byteOffset ?? 0;
    const shareOf = (label: number) =>
      label === IGNORED || label < 0 || label >= CLASSES ? 0 : (weights?.[label] ?? 1);
    const [loss, shares] = [alloc(Float32Array, labels.length), alloc(Float32Array, labels.length)];
    const [first, sizes] = [labels.byteOffset, [CLASSES, inner] as const];
    inPieces(loss, samples, next, (b, e) =>
      negativeLogLikelihood(
        loss.byteOffset,
        shares.byteOffset,
        x.byteOffset,
        first,
        at,
        ...sizes,
        IGNORED,
        b,
        e,
      ),
    );
    expect([...shares]).toEqual(Array.from(labels, shareOf));
    const placeOf = (label: number, i: number) =>
      (Math.floor(i / inner) * CLASSES + label) * inner + (i % inner);
    for (const [i, label] of labels.entries())
      expect(loss[i]).toBe(shareOf(label) === 0 ? 0 : Math.fround(-x[placeOf(label, i)]! * shareOf(label)));
    const total = shares.reduce((sum, share) => Math.fround(sum + share), 0);
    const [dx, dy] = [
      alloc(Float32Array, x.length),
      fillFloats(alloc(Float32Array, labels.length), next, -1, 1),
    ];
    for (const [step, mean] of [
      [1, 0],
      [0, 1],
    ] as const) {
      inPieces(dx, samples, next, (b, e) =>
        negativeLogLikelihoodGradient(
          dx.byteOffset,
          dy.byteOffset,
          first,
          at,
          ...sizes,
          samples,
          IGNORED,
          step,
          mean,
          b,
          e,
        ),
      );
      const expected = new Float32Array(x.length);
      for (const [i, label] of labels.entries())
        if (shareOf(label) !== 0)
          expected[placeOf(label, i)] = Math.fround(-shareOf(label) * dy[i * step]!) / (mean ? total : 1);
      expect([...dx]).toEqual([...expected]);
    }
  }
});
