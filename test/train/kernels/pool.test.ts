import { beforeEach, describe, test } from "vitest";
import { inPieces, same } from "../../kernels/float";
import { alloc, fillFloats, fillInts, loadCommon, loadTrain, random, reset } from "../../kernels/harness";
import { POOL_SHAPES, windowsOf } from "../../kernels/pool-windows";
import { windowAt } from "../../kernels/structs";

const kernels = loadTrain();
const forward = loadCommon();
beforeEach(reset);

const f = Math.fround;

describe.each(POOL_SHAPES.map((shape) => [shape.join(" "), shape] as const))("%s", (_, shape) => {
  const { images: n, rows, taps, slide, cover, area, length } = windowsOf(shape);

  /** Σ over windows, ascending, of what each sends to an element. */
  function scattered(send: (window: number, tap: number) => number): Float32Array {
    const dx = new Float32Array(length);
    taps.forEach((inside, window) => {
      for (const tap of inside) dx[tap] = f(dx[tap]! + send(window, tap));
    });
    return dx;
  }

  test("maxPoolGradient: the first of equal ones takes it", () => {
    const next = random(length);
    // Few values, so that windows have several largest ones.
    const x = fillInts(alloc(Float32Array, length), next, -2, 2);
    const y = alloc(Float32Array, taps.length);
    const at = windowAt(slide);
    forward.maxPool(y.byteOffset, x.byteOffset, at, 0, rows);
    const dy = fillFloats(alloc(Float32Array, taps.length), next, -1, 1);
    const dx = alloc(Float32Array, length);
    inPieces(dx, n, next, (b, e) =>
      kernels.maxPoolGradient(dx.byteOffset, dy.byteOffset, x.byteOffset, y.byteOffset, at, b, e),
    );
    same(
      dx,
      scattered((w, tap) => (taps[w]!.find((at) => x[at] === y[w]) === tap ? dy[w]! : 0)),
    );
  });

  test("maxPoolGradientU8", () => {
    const next = random(length + 1);
    const x = fillInts(alloc(Uint8Array, length), next, 100, 104);
    const y = alloc(Uint8Array, taps.length);
    const at = windowAt(slide);
    forward.maxPoolU8(y.byteOffset, x.byteOffset, at, 0, rows);
    const dy = fillFloats(alloc(Float32Array, taps.length), next, -1, 1);
    const dx = alloc(Float32Array, length);
    inPieces(dx, n, next, (b, e) =>
      kernels.maxPoolGradientU8(dx.byteOffset, dy.byteOffset, x.byteOffset, y.byteOffset, at, b, e),
    );
    same(
      dx,
      scattered((w, tap) => (taps[w]!.find((at) => x[at] === y[w]) === tap ? dy[w]! : 0)),
    );
  });

  test("averagePoolGradient, of what is inside and with the padding", () => {
    const next = random(length + 2);
    const [inside, all] = [windowAt(slide), windowAt(slide, cover)];
    const dy = fillFloats(alloc(Float32Array, taps.length), next, -1, 1);
    const dx = alloc(Float32Array, length);
    inPieces(dx, n, next, (b, e) => kernels.averagePoolGradient(dx.byteOffset, dy.byteOffset, inside, b, e));
    same(
      dx,
      scattered((w) => f(dy[w]! / taps[w]!.length)),
    );
    inPieces(dx, n, next, (b, e) => kernels.averagePoolGradient(dx.byteOffset, dy.byteOffset, all, b, e));
    same(
      dx,
      scattered((w) => f(dy[w]! / area)),
    );
  });
});
