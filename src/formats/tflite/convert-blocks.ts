// Operators that put blocks of an image into the batch, and back: a convolution between them is dilated.

import type { Conversions, OperatorSource } from "./source";

/** The axes after the batch that blocks are of, and those after them. */
interface Blocks {
  readonly sizes: readonly number[];
  readonly spatial: readonly number[];
  readonly rest: readonly number[];
  /** What lies around the image, for each of its axes. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function blocksOf(source: OperatorSource): Blocks {
  const { shape } = source.tensor(0);
  const sizes = source.numbers(1, "its block");
  const margins = source.numbers(2, "what lies around its image");
  const count = sizes.length;
  const own = shape.slice(1);
  if (
    count === 0 ||
    count > own.length ||
    margins.length !== 2 * count ||
    !sizes.every((n) => n > 0) ||
    !margins.every((n) => n >= 0)
  )
    throw source.error("its block does not fit", {
      expected: "for each of some axes after the batch a size of 1 or more, and two margins of 0 or more",
      got: `sizes [${sizes.join(", ")}] and margins [${margins.join(", ")}] of [${shape.join(", ")}]`,
    });
  if (own.some((n) => n < 0))
    throw source.error("sizes of its image are open", {
      expected: "an open batch alone",
      got: `[${shape.join(", ")}]`,
      hint: "Convert it with an image of a fixed size",
    });
  return {
    sizes,
    spatial: own.slice(0, count),
    rest: own.slice(count),
    before: sizes.map((_, i) => margins[2 * i]!),
    after: sizes.map((_, i) => margins[2 * i + 1]!),
  };
}

function spaceToBatch(source: OperatorSource): void {
  const { sizes, spatial, rest, before, after } = blocksOf(source);
  const whole = spatial.map((n, i) => before[i]! + n + after[i]!);
  if (whole.some((n, i) => n % sizes[i]! !== 0))
    throw source.error("its blocks do not fill the image", {
      expected: `multiples of [${sizes.join(", ")}]`,
      got: `[${whole.join(", ")}]`,
    });
  const others = rest.map(() => 0);
  const x = source.real(0);
  const isPadded = [...before, ...after].some((n) => n > 0);
  const pads = [0, ...before, ...others, 0, ...after, ...others];
  const padded = isPadded ? source.add("Pad", [x], { pads }) : x;
  const count = sizes.length;
  const outer = whole.map((n, i) => n / sizes[i]!);
  const split = [0, ...outer.flatMap((n, i) => [n, sizes[i]!]), ...rest];
  const apart = source.add("Reshape", [padded], { shape: split });
  const perm = [
    ...sizes.map((_, i) => 2 + 2 * i),
    0,
    ...sizes.map((_, i) => 1 + 2 * i),
    ...rest.map((_, i) => 1 + 2 * count + i),
  ];
  const turned = source.add("Transpose", [apart], { perm });
  source.end(source.add("Reshape", [turned], { shape: [-1, ...outer, ...rest] }));
}

function batchToSpace(source: OperatorSource): void {
  const { sizes, spatial, rest, before, after } = blocksOf(source);
  const whole = spatial.map((n, i) => n * sizes[i]!);
  if (whole.some((n, i) => before[i]! + after[i]! > n))
    throw source.error("more is cut off than its image has", {
      expected: `at most [${whole.join(", ")}]`,
      got: `[${before.map((n, i) => n + after[i]!).join(", ")}]`,
    });
  const count = sizes.length;
  const apart = source.add("Reshape", [source.real(0)], { shape: [...sizes, -1, ...spatial, ...rest] });
  const perm = [
    count,
    ...sizes.flatMap((_, i) => [count + 1 + i, i]),
    ...rest.map((_, i) => 1 + 2 * count + i),
  ];
  const turned = source.add("Transpose", [apart], { perm });
  const joined = source.add("Reshape", [turned], { shape: [-1, ...whole, ...rest] });
  if (![...before, ...after].some((n) => n > 0)) return source.end(joined);
  const ends = whole.map((n, i) => n - after[i]!);
  source.end(source.add("Slice", [joined], { starts: [...before], ends, axes: sizes.map((_, i) => 1 + i) }));
}

export const blocks: Conversions = {
  BATCH_TO_SPACE_ND: batchToSpace,
  SPACE_TO_BATCH_ND: spaceToBatch,
};
