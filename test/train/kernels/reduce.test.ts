import { beforeEach, describe, test } from "vitest";
import { inPieces, SIZES, same } from "../../kernels/float";
import { alloc, fillFloats, loadTrain, random, reset } from "../../kernels/harness";
import { expectClose } from "./gradients";

const kernels = loadTrain();
beforeEach(reset);

describe("sumRows", () => {
  for (const rows of [0, 1, 2, 3, 17, 1000])
    test.each(SIZES)(`${rows} rows of %i: even and odd rows in f32`, (cols) => {
      const next = random(rows * 101 + cols);
      const x = fillFloats(alloc(Float32Array, rows * cols), next, -2, 2);
      const y = alloc(Float32Array, cols);
      inPieces(y, cols, next, (begin, end) =>
        kernels.sumRows(y.byteOffset, x.byteOffset, rows, cols, begin, end),
      );
      const halves = [0, 1].map(() => new Float32Array(cols));
      const want = new Float64Array(cols);
      x.forEach((value, i) => {
        halves[Math.floor(i / cols) & 1]![i % cols]! += value;
        want[i % cols]! += value;
      });
      same(
        y,
        halves[0]!.map((even, c) => even + halves[1]![c]!),
      );
      expectClose(y, want);
    });
});
