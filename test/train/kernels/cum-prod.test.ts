import { beforeEach, test } from "vitest";
import { inPieces, SIZES } from "../../kernels/float";
import { alloc, fillFloats, loadTrain, random, reset } from "../../kernels/harness";
import { expectClose } from "./gradients";

const { cumProdGradient } = loadTrain();
beforeEach(reset);

const SHAPES = SIZES.flatMap((n) => [1, 3, 4, 17].map((inner) => [n, inner] as const));
const FLAGS = [0, 1].flatMap((exclusive) => [0, 1].map((reverse) => [exclusive, reverse] as const));
const OUTER = 3;

test.each(SHAPES)("n = %i, inner = %i: products of the other factors, zeros among them", (n, inner) => {
  const next = random(n + inner);
  for (const [exclusive, reverse] of FLAGS) {
    const count = OUTER * n * inner;
    const x = fillFloats(alloc(Float32Array, count), next, -1.5, 1.5).map((v, i) => (i % 5 === 2 ? 0 : v));
    const own = alloc(Float32Array, count);
    own.set(x);
    const dy = fillFloats(alloc(Float32Array, count), next, -2, 2);
    const before = alloc(Float32Array, count);
    const dx = alloc(Float32Array, count);
    const want = new Float64Array(count);
    for (let o = 0; o < OUTER; o++)
      for (let i = 0; i < inner; i++) {
        const at = (k: number) => (o * n + (reverse ? n - 1 - k : k)) * inner + i;
        const product = (from: number, to: number, without = -1) => {
          let all = 1;
          for (let l = from; l < to; l++) if (l !== without) all *= x[at(l)]!;
          return all;
        };
        for (let j = 0; j < n; j++) {
          before[at(j)] = product(0, j);
          for (let k = j + exclusive; k < n; k++)
            want[at(j)]! += dy[at(k)]! * product(0, exclusive ? k : k + 1, j);
        }
      }
    const places = [dx, dy, own, before].map(({ byteOffset }) => byteOffset) as [
      number,
      number,
      number,
      number,
    ];
    inPieces(dx, OUTER, next, (begin, end) =>
      cumProdGradient(...places, n, inner, exclusive, reverse, begin, end),
    );
    expectClose(dx, want);
  }
});
