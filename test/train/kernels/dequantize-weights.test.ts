import { beforeEach, describe, test } from "vitest";
import { inPieces, same } from "../../kernels/float";
import { alloc, fillFloats, fillInts, loadTrain, random, reset } from "../../kernels/harness";

const kernels = loadTrain();
beforeEach(reset);

// channels, inner
const SHAPES = [
  [0, 3],
  [4, 0],
  [1, 1],
  [17, 9],
  [3, 64],
  [17, 1],
  [3, 7],
  [33, 16],
] as const;

describe("dequantizeWeights", () => {
  test.each(SHAPES)("%i channels × %i: code · scale in f32", (channels, inner) => {
    const next = random(channels * 7 + inner);
    const codes = fillInts(alloc(Int8Array, channels * inner), next, -128, 127);
    const scale = fillFloats(alloc(Float32Array, channels), next, 1e-4, 1);
    const y = alloc(Float32Array, codes.length);
    inPieces(y, channels, next, (begin, end) =>
      kernels.dequantizeWeights(y.byteOffset, codes.byteOffset, scale.byteOffset, inner, begin, end),
    );
    same(
      y,
      Float32Array.from(codes, (q, i) => q * scale[Math.floor(i / inner)]!),
    );
  });
});
