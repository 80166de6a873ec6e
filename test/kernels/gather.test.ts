import { beforeEach, describe, test } from "vitest";
import { inPieces, same } from "./float";
import { alloc, fillFloats, int, loadCommon, loadTrain, place, random, reset } from "./harness";

const kernels = loadCommon();
const train = loadTrain();
beforeEach(reset);

const f = Math.fround;
const FAR = 0x7fffffff;

/** Negative from the end, then to the nearest row. */
const rowAt = (index: number, extent: number) =>
  Math.min(extent - 1, Math.max(0, index < 0 ? index + extent : index));

describe.each([
  [1, 1, 1, 1],
  [1, 5, 4, 17],
  [1, 7, 33, 3],
  [3, 4, 5, 4],
  [2, 1, 3, 1],
  [1, 5, 0, 3],
  [2, 3, 4, 0],
])("%i × %i rows, %i indices, %i elements", (outer, extent, count, cols) => {
  const operands = () => {
    const next = random(count * cols + extent);
    const wild = [FAR, -FAR - 1, extent, -extent, -extent - 1];
    const values = Array.from({ length: count }, (_, i) =>
      i % 3 === 2 ? wild[i % wild.length]! : int(next, -extent, extent - 1),
    );
    const indices = place(Int32Array, values);
    return { next, indices, at: values.map((value) => rowAt(value, extent)) };
  };

  test("gather: floats and bytes", () => {
    const { next, indices, at } = operands();
    const x = fillFloats(alloc(Float32Array, outer * extent * cols), next, -4, 4);
    const y = alloc(Float32Array, outer * count * cols);
    inPieces(y, outer * count, next, (b, e) =>
      kernels.gather(y.byteOffset, x.byteOffset, indices.byteOffset, extent, count, cols * 4, b, e),
    );
    const picked = (source: ArrayLike<number>) =>
      Array.from({ length: outer }, (_, o) =>
        at.flatMap((row) => Array.from({ length: cols }, (_, c) => source[(o * extent + row) * cols + c]!)),
      ).flat();
    same(y, picked(x));
    const codes = place(
      Uint8Array,
      Array.from(x, (v) => Math.abs(v * 60)),
    );
    const z = alloc(Uint8Array, outer * count * cols);
    inPieces(z, outer * count, next, (b, e) =>
      kernels.gather(z.byteOffset, codes.byteOffset, indices.byteOffset, extent, count, cols, b, e),
    );
    same(z, picked(codes));
  });

  test("gatherGradient: sums in the order of the indices", () => {
    const { next, indices, at } = operands();
    const dy = fillFloats(alloc(Float32Array, outer * count * cols), next, -1, 1);
    const dx = alloc(Float32Array, outer * extent * cols);
    inPieces(dx, outer * extent, next, (b, e) =>
      train.gatherGradient(dx.byteOffset, dy.byteOffset, indices.byteOffset, extent, count, cols, b, e),
    );
    const expected = new Float32Array(dx.length);
    for (let o = 0; o < outer; o++)
      for (const [i, row] of at.entries())
        for (let c = 0; c < cols; c++) {
          const to = (o * extent + row) * cols + c;
          expected[to] = f(expected[to]! + dy[(o * count + i) * cols + c]!);
        }
    same(dx, expected);
  });
});
