import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, same } from "./float";
import { alloc, brokenGuard, fillInts, int, loadCommon, place, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

/** Negative from the end, then to the nearest row. */
const rowAt = (index: number, extent: number) =>
  Math.min(extent - 1, Math.max(0, index < 0 ? index + extent : index));
const FAR = 0x7fffffff;

/** Indices of which every third lies at an end or far outside. */
const wildIndices = (count: number, extent: number, next: () => number) => {
  const wild = [FAR, -FAR - 1, extent, -extent, -extent - 1];
  return Array.from({ length: count }, (_, i) =>
    i % 3 === 2 ? wild[i % wild.length]! : int(next, -extent, extent - 1),
  );
};

/** Types as kernels number them: a view, and what a 0 is held as. */
const types = [
  { type: 0, view: Float32Array, zero: 0 },
  { type: 1, view: Int32Array, zero: 0 },
  { type: 2, view: Uint8Array, zero: 0 },
  { type: 3, view: Uint8Array, zero: 128 },
] as const;
type Elements = Float32Array | Int32Array | Uint8Array;
const elementsOf = (view: (typeof types)[number]["view"], length: number, next: () => number): Elements => {
  const wide = view === Uint8Array ? [0, 255] : view === Int32Array ? [-FAR, FAR] : [-9, 9];
  return fillInts(alloc<Elements>(view as never, length) as Int32Array, next, wide[0]!, wide[1]!);
};

/** As the kernels reduce: with the low bits kept. */
function reduced(how: number, a: number, b: number, { view, zero }: (typeof types)[number]): number {
  if (how === 0) return b;
  if (how > 2) return how === 3 ? Math.min(a, b) : Math.max(a, b);
  const [p, q] = [a - zero, b - zero];
  if (view === Float32Array) return Math.fround(how === 1 ? p + q : p * q);
  return view.of((how === 1 ? (p + q) | 0 : Math.imul(p, q)) + zero)[0]!;
}

const SHAPES = [
  [1, 1, 1, 1],
  [1, 5, 17, 1],
  [3, 4, 3, 4],
  [2, 3, 5, 17],
  [2, 7, 0, 3],
  [0, 4, 3, 1],
] as const;

describe.each(SHAPES)("[%i][%i], [%i] picked or put, of %i elements", (outer, extent, count, inner) => {
  const at = (o: number, k: number, i: number) => (o * count + k) * inner + i;

  test("gatherElements", () => {
    for (const { view } of types) {
      const next = random(count + inner);
      const indices = place(Int32Array, wildIndices(outer * count * inner, extent, next));
      const x = elementsOf(view, outer * extent * inner, next);
      const y = elementsOf(view, indices.length, next);
      const size = view.BYTES_PER_ELEMENT;
      inPieces(y, outer * count, next, (begin, end) =>
        kernels.gatherElements(
          ...([y.byteOffset, x.byteOffset, indices.byteOffset, size, extent, count, inner] as const),
          begin,
          end,
        ),
      );
      same(
        y,
        Array.from(indices, (index, at) => {
          const o = Math.floor(at / (count * inner));
          return x[(o * extent + rowAt(index, extent)) * inner + (at % inner)]!;
        }),
      );
    }
  });

  test("scatterElements", () => {
    for (const own of types)
      for (const how of [0, 1, 2, 3, 4]) {
        const next = random(count + inner + how);
        const indices = place(Int32Array, wildIndices(outer * count * inner, extent, next));
        const x = elementsOf(own.view, indices.length, next);
        const y = elementsOf(own.view, outer * extent * inner, next);
        const expected = Array.from(y);
        for (let o = 0; o < outer; o++)
          for (let k = 0; k < count; k++)
            for (let i = 0; i < inner; i++) {
              const to = (o * extent + rowAt(indices[at(o, k, i)]!, extent)) * inner + i;
              expected[to] = reduced(how, expected[to]!, x[at(o, k, i)]!, own);
            }
        const cut = int(next, 0, outer * inner);
        for (const [begin, end] of [
          [cut, outer * inner],
          [0, cut],
        ] as const)
          kernels.scatterElements(
            ...([y.byteOffset, x.byteOffset, indices.byteOffset, own.type, how] as const),
            ...([extent, count, inner, begin, end] as const),
          );
        same(y, expected);
        expect(brokenGuard()).toBeUndefined();
      }
  });

  test("scatter", () => {
    for (const own of types)
      for (const how of [0, 1, 2, 3, 4]) {
        const next = random(count + inner + how);
        const places = fillInts(alloc(Int32Array, count), next, 0, extent - 1);
        const x = elementsOf(own.view, count * inner, next);
        const y = elementsOf(own.view, extent * inner, next);
        const expected = Array.from(y);
        for (const [k, row] of places.entries())
          for (let i = 0; i < inner; i++)
            expected[row * inner + i] = reduced(how, expected[row * inner + i]!, x[k * inner + i]!, own);
        const cut = int(next, 0, extent);
        for (const [begin, end] of [
          [cut, extent],
          [0, cut],
        ] as const)
          kernels.scatter(
            ...([y.byteOffset, x.byteOffset, places.byteOffset, own.type, how] as const),
            ...([count, inner, begin, end] as const),
          );
        same(y, expected);
        expect(brokenGuard()).toBeUndefined();
      }
  });

  test.each(["linear", "circular"])("scatterRuns, %s", (mode) => {
    const next = random(count + inner);
    const wild = [-2, 0, 1, extent - 1, extent, FAR];
    const starts = place(
      Int32Array,
      Array.from({ length: 2 }, () => wild[int(next, 0, wild.length - 1)]!),
    );
    const isCircular = mode === "circular";
    const x = elementsOf(Uint8Array, 2 * outer * count * inner, next);
    const y = elementsOf(Uint8Array, 2 * outer * extent * inner, next);
    const expected = Array.from(y);
    for (let r = 0; r < 2 * outer; r++)
      for (let t = 0; t < count; t++) {
        const from = starts[Math.floor(r / outer)]! + t;
        const row = isCircular ? ((from % extent) + extent) % extent : from;
        if (row < 0 || row >= extent) continue;
        for (let i = 0; i < inner; i++)
          expected[(r * extent + row) * inner + i] = x[(r * count + t) * inner + i]!;
      }
    const cut = int(next, 0, 2 * outer);
    for (const [begin, end] of [
      [cut, 2 * outer],
      [0, cut],
    ] as const)
      kernels.scatterRuns(
        ...([y.byteOffset, x.byteOffset, starts.byteOffset, outer, extent, count, inner] as const),
        ...([isCircular ? 1 : 0, begin, end] as const),
      );
    same(y, expected);
    expect(brokenGuard()).toBeUndefined();
  });
});

test.each([
  [1, 3, [5]],
  [2, 4, [3, 4]],
  [3, 5, [2, 1, 7]],
])("numberPlaces: %i batches of %i tuples through %j", (batch, rows, extents) => {
  const next = random(batch);
  const depth = extents.length;
  const tuples = Array.from({ length: batch * rows }, () =>
    extents.map((extent) => wildIndices(3, extent, next)[2]!),
  );
  const indices = place(Int32Array, tuples.flat());
  const y = alloc(Int32Array, tuples.length);
  inPieces(y, tuples.length, next, (begin, end) => {
    for (const [k, extent] of extents.entries())
      kernels.numberPlaces(y.byteOffset, indices.byteOffset, rows, depth, k, extent, begin, end);
  });
  same(
    y,
    tuples.map((tuple, r) =>
      tuple.reduce((n, index, k) => n * extents[k]! + rowAt(index, extents[k]!), Math.floor(r / rows)),
    ),
  );
});

test.each([1, 3, 4, 17])("triangle and diagonal, %i columns", (cols) => {
  for (const rows of [1, 3, 5])
    for (const k of [0, 1, -1, 4, -4, FAR, -FAR - 1])
      for (const [view, zero] of [
        [Int32Array, 0],
        [Uint8Array, 128],
      ] as const) {
        const next = random(cols);
        const shift = place(Int32Array, [k]);
        const x = elementsOf(view, 2 * rows * cols, next);
        const y = elementsOf(view, 2 * rows * cols, next);
        const size = view.BYTES_PER_ELEMENT;
        const across = (i: number) => (i % cols) - (Math.floor(i / cols) % rows);
        for (const upper of [0, 1]) {
          inPieces(y, 2 * rows, next, (begin, end) =>
            kernels.triangle(
              ...([y.byteOffset, x.byteOffset, shift.byteOffset, size, rows, cols, upper, zero] as const),
              begin,
              end,
            ),
          );
          same(
            y,
            Array.from(x, (value, i) => ((upper ? across(i) >= k : across(i) <= k) ? value : zero)),
          );
        }
        const eye = elementsOf(view, rows * cols, next);
        inPieces(eye, rows, next, (begin, end) =>
          kernels.diagonal(eye.byteOffset, size, cols, k, zero, zero + 1, begin, end),
        );
        same(
          eye,
          Array.from(eye, (_, i) => (across(i) === k ? zero + 1 : zero)),
        );
        reset();
      }
});

test.each(types)("oneHot, indices of type $type", ({ type, view, zero }) => {
  const wild = view === Float32Array ? [1.9, -0.5, 7e9, Number.NaN] : [];
  const indices = place<Elements>(view as never, [
    ...[-1, 0, 1, 2, -3, -4, 3, 100].map((index) => (view === Uint8Array ? index + zero : index)),
    ...wild,
  ]);
  const depth = 3;
  for (const [values, inner] of [
    [place(Float32Array, [0.5, 2]), 1],
    [place(Uint8Array, [7, 9]), 4],
  ] as const) {
    const next = random(inner);
    const outer = Math.floor(indices.length / inner);
    const y = alloc<Elements>(values.constructor as Float32ArrayConstructor as never, outer * depth * inner);
    const size = values.BYTES_PER_ELEMENT;
    inPieces(y, outer, next, (begin, end) =>
      kernels.oneHot(
        ...([y.byteOffset, indices.byteOffset, values.byteOffset, size, type, depth, inner] as const),
        begin,
        end,
      ),
    );
    same(
      y,
      Array.from(y, (_, at) => {
        const [o, d, i] = [Math.floor(at / depth / inner), Math.floor(at / inner) % depth, at % inner];
        const index = Math.trunc(indices[o * inner + i]! - zero) || 0;
        return values[d === index || d === index + depth ? 1 : 0]!;
      }),
    );
  }
});

test.each([0, 1])("reverseRows, time on axis %i", (timeLast) => {
  const [times, batch, bytes] = [5, 6, 3];
  const lengths = place(Int32Array, [0, 1, 3, 5, 99, -4]);
  const next = random(times);
  const x = fillInts(alloc(Uint8Array, times * batch * bytes), next, 0, 255);
  const y = alloc(Uint8Array, x.length);
  inPieces(y, times * batch, next, (begin, end) =>
    kernels.reverseRows(
      ...([y.byteOffset, x.byteOffset, lengths.byteOffset, times, batch, timeLast, bytes] as const),
      begin,
      end,
    ),
  );
  same(
    y,
    Array.from(y, (_, i) => {
      const r = Math.floor(i / bytes);
      const [b, t] = timeLast ? [Math.floor(r / times), r % times] : [r % batch, Math.floor(r / batch)];
      const length = Math.min(times, lengths[b]!);
      const from = t < length ? length - 1 - t : t;
      return x[(timeLast ? b * times + from : from * batch + b) * bytes + (i % bytes)]!;
    }),
  );
});
