import { beforeEach, expect, test } from "vitest";
import { inPieces, SIZES, same } from "../float";
import { alloc, int, loadCommon, loadTrain, place, random, reset } from "../harness";

const kernels = loadCommon();
const train = loadTrain();
beforeEach(reset);

const table = SIZES.flatMap((n) =>
  (["topK", "topKInt", "topKByte"] as const).flatMap((kernel) =>
    [0, 1].map((smallest) => [kernel, n, smallest] as const),
  ),
);

test.each(table)("%s of %i, smallest %i, ties and NaN among them", (kernel, n, smallest) => {
  const view = kernel === "topKInt" ? Int32Array : kernel === "topKByte" ? Uint8Array : Float32Array;
  for (const inner of [1, 3])
    for (const k of new Set([0, 1, 2, n >> 1, n])) {
      if (k > n) continue;
      reset();
      const outer = 3;
      const next = random(n + k);
      const value = () => (next() < 0.05 ? Number.NaN : next() < 0.1 ? -0 : int(next, -9, 9) / 3);
      const x = place(view as typeof Float32Array, Array.from({ length: outer * n * inner }, value));
      const [y, places] = [
        alloc(view as typeof Float32Array, outer * k * inner),
        alloc(Int32Array, outer * k * inner),
      ];
      const heap = alloc(Float64Array, k);
      inPieces(y, outer, next, (b, e) =>
        kernels[kernel](
          y.byteOffset,
          places.byteOffset,
          heap.byteOffset,
          x.byteOffset,
          n,
          inner,
          k,
          smallest,
          b,
          e,
        ),
      );
      const [values, indices]: [number[], number[]] = [[], []];
      for (let o = 0; o < outer; o++) {
        const columns = Array.from({ length: inner }, (_, i) => {
          const of = (p: number) => x[(o * n + p) * inner + i]!;
          const rank = (p: number) => (Number.isNaN(of(p)) ? Infinity : of(p));
          const order = Array.from({ length: n }, (_, p) => p);
          order.sort((p, q) => {
            const [a, b] = smallest ? [rank(p), rank(q)] : [rank(q), rank(p)];
            return a === b ? p - q : a - b;
          });
          return order.slice(0, k).map((p) => [of(p), p] as const);
        });
        for (let j = 0; j < k; j++)
          for (const column of columns) {
            values.push(column[j]![0]);
            indices.push(column[j]![1]);
          }
      }
      same(y, values);
      same(places, indices);
    }
});

test("its gradient goes where the elements came from", () => {
  const dy = place(Float32Array, [1, 2, 3, 4]);
  const places = place(Int32Array, [2, 0, 1, 2]);
  const dx = alloc(Float32Array, 6);
  train.topKGradient(dx.byteOffset, dy.byteOffset, places.byteOffset, 3, 1, 2, 0, 2);
  expect([...dx]).toEqual([2, 0, 1, 0, 3, 4]);
});
