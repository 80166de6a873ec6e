import { beforeEach, describe, test } from "vitest";
import { inPieces, same } from "../../kernels/float";
import { alloc, fillFloats, fillInts, loadTrain, random, reset } from "../../kernels/harness";

const kernels = loadTrain();
beforeEach(reset);

// outer, channels, inner
const SHAPES = [
  [1, 0, 3],
  [0, 4, 1],
  [1, 1, 1],
  [1, 17, 9],
  [1, 3, 64],
  [31, 17, 1],
  [3, 8, 1],
  [5, 3, 7],
  [1, 33, 16],
] as const;

describe("dequantizeWeights", () => {
  test.each(SHAPES)("%i × %i channels × %i: code · scale in f32", (outer, channels, inner) => {
    const next = random(outer * 31 + channels * 7 + inner);
    const codes = fillInts(alloc(Int8Array, outer * channels * inner), next, -128, 127);
    const scale = fillFloats(alloc(Float32Array, channels), next, 1e-4, 1);
    const y = alloc(Float32Array, codes.length);
    inPieces(y, outer * channels, next, (begin, end) =>
      kernels.dequantizeWeights(
        y.byteOffset,
        codes.byteOffset,
        scale.byteOffset,
        channels,
        inner,
        begin,
        end,
      ),
    );
    same(
      y,
      Float32Array.from(codes, (q, i) => q * scale[Math.floor(i / inner) % channels]!),
    );
  });
});
