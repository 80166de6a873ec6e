import { beforeEach, describe, test } from "vitest";
import { inPieces, laneSum, same } from "../../kernels/float";
import { alloc, fillFloats, loadTrain, random, reset } from "../../kernels/harness";

const kernels = loadTrain();
beforeEach(reset);

const f = Math.fround;

/** Kept and summed runs of neighbours, outermost first. */
const PATTERNS = [
  [["sum", 17]],
  [
    ["sum", 3],
    ["keep", 1],
  ],
  [
    ["sum", 5],
    ["keep", 17],
  ],
  [
    ["sum", 4],
    ["keep", 33],
  ],
  [
    ["keep", 5],
    ["sum", 17],
  ],
  [
    ["keep", 3],
    ["sum", 4],
    ["keep", 3],
  ],
  [
    ["keep", 3],
    ["sum", 5],
    ["keep", 20],
  ],
  [
    ["sum", 3],
    ["keep", 5],
    ["sum", 7],
  ],
  [
    ["keep", 2],
    ["sum", 3],
    ["keep", 5],
    ["sum", 9],
  ],
  [
    ["sum", 3],
    ["keep", 2],
    ["sum", 4],
    ["keep", 19],
  ],
  [
    ["sum", 0],
    ["keep", 5],
  ],
  [
    ["sum", 3],
    ["keep", 0],
  ],
] as const;

describe("sumTo", () => {
  test.each(
    PATTERNS.map((runs) => [runs.map((run) => run.join(" ")).join(", "), runs] as const),
  )("%s", (_, runs) => {
    const next = random(runs.length);
    const length = runs.reduce((n, [, extent]) => n * extent, 1);
    const x = fillFloats(alloc(Float32Array, length), next, -4, 4);
    const steps = runs.map((_, i) => runs.slice(i + 1).reduce((n, [, extent]) => n * extent, 1));
    const of = (kind: string) =>
      runs.flatMap(([own, extent], i) => (own === kind ? [{ extent, step: steps[i]! }] : [])).reverse();
    const one = { extent: 1, step: 0 };
    const [col = one, row = one] = of("keep");
    const [inner = one, outer = one] = of("sum");
    const y = alloc(Float32Array, row.extent * col.extent);
    const args = [
      col.extent,
      row.step,
      col.step,
      outer.extent,
      inner.extent,
      outer.step,
      inner.step,
    ] as const;
    inPieces(y, y.length, next, (b, e) => kernels.sumTo(y.byteOffset, x.byteOffset, ...args, b, e));
    const expected = Array.from(y, (_, i) => {
      const from = Math.floor(i / col.extent) * row.step + (i % col.extent) * col.step;
      const terms = Array.from({ length: outer.extent }, (_, p) =>
        Array.from({ length: inner.extent }, (_, q) => x[from + p * outer.step + q * inner.step]!),
      );
      if (col.step === 1) return terms.flat().reduce((sum, v) => f(sum + v), 0);
      const lanes = terms.map((row) => [...row, ...new Array(-row.length & 3).fill(0)]);
      return laneSum(lanes.flat());
    });
    same(y, expected);
  });
});

/** What is divided by. */
const COUNT = 6;

describe("reduceGradient", () => {
  test.each([
    [1, 1, 1],
    [3, 17, 1],
    [2, 5, 3],
    [3, 4, 33],
    [0, 3, 4],
    [2, 3, 0],
  ])("%i × %i × %i", (outer, reduce, inner) => {
    const next = random(reduce + inner);
    const dy = fillFloats(alloc(Float32Array, outer * inner), next, -4, 4);
    const dx = alloc(Float32Array, outer * reduce * inner);
    inPieces(dx, outer, next, (b, e) =>
      kernels.reduceGradient(dx.byteOffset, dy.byteOffset, reduce, inner, COUNT, b, e),
    );
    same(
      dx,
      Array.from(dx, (_, i) => f(dy[Math.floor(i / inner / reduce) * inner + (i % inner)]! / COUNT)),
    );
  });
});

describe("reduceProductGradient", () => {
  test.each([
    [1, 1, 1],
    [3, 17, 1],
    [2, 5, 3],
    [3, 4, 33],
    [0, 3, 4],
    [2, 0, 3],
  ])("%i × %i × %i: products of the others", (outer, reduce, inner) => {
    const next = random(reduce + inner);
    const x = fillFloats(alloc(Float32Array, outer * reduce * inner), next, -2, 2);
    const dy = fillFloats(alloc(Float32Array, outer * inner), next, -4, 4);
    const dx = alloc(Float32Array, x.length);
    inPieces(dx, outer, next, (b, e) =>
      kernels.reduceProductGradient(dx.byteOffset, dy.byteOffset, x.byteOffset, reduce, inner, b, e),
    );
    const expected = Array.from(dx, (_, at) => {
      const [o, r, i] = [Math.floor(at / inner / reduce), Math.floor(at / inner) % reduce, at % inner];
      const others = Array.from({ length: reduce }, (_, s) => x[(o * reduce + s) * inner + i]!);
      const ahead = others.slice(0, r).reduce((a, v) => f(a * v), dy[o * inner + i]!);
      const behind = others.slice(r + 1).reduceRight((a, v) => f(a * v), 1);
      return f(ahead * behind);
    });
    same(dx, expected);
  });
});
