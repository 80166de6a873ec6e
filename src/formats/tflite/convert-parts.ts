// Operators that cut values into parts and join them, in the order that an image is in.

import { I32_MAX, I32_MIN } from "../elements";
import type { Conversions, OperatorSource } from "./source";
import { IMAGE, type Order } from "./values";

/** Where an axis of TFLite's order is with channels first. */
export const AXES_FIRST = [0, 2, 3, 1];

/** The order that an image is in, and where its axes are then. */
export function placed(
  source: OperatorSource,
  i: number,
): { order: Order; axisOf: (axis: number) => number } {
  const rank = source.rank(i);
  const isFirst = rank === IMAGE && source.values.isIn(source.tensor(i), "first");
  return {
    order: isFirst ? "first" : "last",
    axisOf(axis) {
      const whole = axis < 0 ? axis + rank : axis;
      if (!(whole >= 0 && whole < rank))
        throw source.error(`there is no axis ${axis}`, { got: `rank ${rank}` });
      return isFirst ? AXES_FIRST[whole]! : whole;
    },
  };
}

function concatenation(source: OperatorSource): void {
  const { options, values } = source;
  const all = source.inputs.map((_, i) => source.tensor(i));
  const isFirst =
    source.rank(0) === IMAGE &&
    all.some((tensor) => values.isIn(tensor, "first")) &&
    all.every((tensor) => tensor.shape.length === IMAGE);
  const rank = source.rank(0);
  const axis = options.int(0) < 0 ? options.int(0) + rank : options.int(0);
  const order = isFirst ? "first" : "last";
  const inputs = all.map((_, i) => source.real(i, order));
  const y = source.add("Concat", inputs, { axis: isFirst ? (AXES_FIRST[axis] ?? axis) : axis });
  source.end(source.activated(y, options.byte(1)), order);
}

/** Parts along an axis, each an output. */
function splitInto(source: OperatorSource, x: number, axis: number, sizes?: readonly number[]): void {
  const { order, axisOf } = placed(source, x);
  const { length } = source.outputs;
  const attributes = { axis: axisOf(axis), ...(sizes ? { split: [...sizes] } : { num_outputs: length }) };
  const made = source.values.push("Split", source.name, [source.real(x, order)], attributes, length);
  for (const [i, part] of made.entries()) source.end(part, order, i);
}

function splitV(source: OperatorSource): void {
  const sizes = source.numbers(1, "the sizes of its parts");
  const [axis = 0] = source.numbers(2, "its axis");
  const rest = sizes.indexOf(-1);
  if (rest < 0) return splitInto(source, 0, axis, sizes);
  const whole = source.tensor(0).shape.at(axis) ?? -1;
  const others = sizes.reduce((sum, size, i) => (i === rest ? sum : sum + size), 0);
  if (whole < 0) throw source.error("what is left for one part depends on a size that is open");
  splitInto(source, 0, axis, sizes.with(rest, whole - others));
}

/** A slice: from, to and step of some axes; `I32_MAX` is the end, and below `I32_MIN` what is before the first. */
interface Range {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

function sliced(
  source: OperatorSource,
  i: number,
  ranges: readonly Range[],
): { value: string; order: Order } {
  const { order, axisOf } = placed(source, i);
  const x = source.real(i, order);
  if (ranges.length === 0) return { value: x, order };
  const value = source.add("Slice", [x], {
    starts: ranges.map(({ start }) => start),
    ends: ranges.map(({ end }) => end),
    axes: ranges.map(({ axis }) => axisOf(axis)),
    steps: ranges.map(({ step }) => step),
  });
  return { value, order };
}

/** Begins and sizes, −1 for all that is left. */
function slice(source: OperatorSource): void {
  const begins = source.numbers(1, "where it begins");
  const sizes = source.numbers(2, "its sizes");
  const ranges = begins.map((start, axis) => {
    const size = sizes[axis] ?? -1;
    return { axis, start, end: size < 0 ? I32_MAX : start + size, step: 1 };
  });
  const all = ranges.filter(({ start, end }) => start !== 0 || end !== I32_MAX);
  const { value, order } = sliced(source, 0, all);
  source.end(value, order);
}

const MASKS = { begin: 0, end: 1, ellipsis: 2, added: 3, shrunk: 4, isOffset: 5 };

/** NumPy's indexing, written in masks with a bit for each entry. */
function stridedSlice(source: OperatorSource): void {
  const { options } = source;
  const [begins, ends, steps] = [
    source.numbers(1, "where it begins"),
    source.numbers(2, "where it ends"),
    source.numbers(3, "its steps"),
  ];
  const mask = (id: number, i: number) => ((options.int(id) >> i) & 1) === 1;
  const entries = begins.map((_, i) => i);
  const added = entries.filter((i) => mask(MASKS.added, i)).length;
  const ellipses = entries.filter((i) => mask(MASKS.ellipsis, i)).length;
  const hidden = source.rank(0) - (begins.length - added - ellipses);
  const ranges: Range[] = [];
  /** Of the result before any of them is done: axes that are new, and axes that go. */
  const [news, gone]: [number[], number[]] = [[], []];
  let axis = 0;
  for (const i of entries) {
    if (mask(MASKS.ellipsis, i)) axis += hidden;
    else if (mask(MASKS.added, i)) news.push(axis + news.length - gone.length);
    else {
      const step = steps[i]!;
      const isShrunk = mask(MASKS.shrunk, i);
      const first = step < 0 ? I32_MAX : 0;
      const last = step < 0 ? I32_MIN : I32_MAX;
      const start = mask(MASKS.begin, i) && !isShrunk ? first : begins[i]!;
      const stop = options.bool(MASKS.isOffset) ? begins[i]! + ends[i]! : ends[i]!;
      if (isShrunk) {
        ranges.push({ axis, start, end: start === -1 ? I32_MAX : start + 1, step: 1 });
        gone.push(axis);
      } else {
        const end = mask(MASKS.end, i) ? last : stop;
        if (start !== 0 || end !== I32_MAX || step !== 1) ranges.push({ axis, start, end, step });
      }
      axis++;
    }
  }
  if (gone.length === 0 && news.length === 0) {
    const { value, order } = sliced(source, 0, ranges);
    return source.end(value, order);
  }
  const { value, order } = sliced(source, 0, ranges);
  const plain = order === "last" ? value : source.add("Transpose", [value], { perm: [0, 2, 3, 1] });
  const fewer = gone.length > 0 ? source.add("Squeeze", [plain], { axes: gone }) : plain;
  source.end(news.length > 0 ? source.add("Unsqueeze", [fewer], { axes: news }) : fewer);
}

function reverse(source: OperatorSource): void {
  const ranges = source
    .numbers(1, "its axes")
    .map((axis) => ({ axis, start: I32_MAX, end: I32_MIN, step: -1 }));
  const { value, order } = sliced(source, 0, ranges);
  source.end(value, order);
}

function pack(source: OperatorSource): void {
  const axis = source.options.int(1);
  const rows = source.inputs.map((_, i) => source.add("Unsqueeze", [source.real(i)], { axes: [axis] }));
  source.end(source.add("Concat", rows, { axis }));
}

function unpack(source: OperatorSource): void {
  const axis = source.options.int(1);
  const { length } = source.outputs;
  const made = source.values.push(
    "Split",
    source.name,
    [source.real(0)],
    { axis, num_outputs: length },
    length,
  );
  for (const [i, part] of made.entries())
    source.end(source.add("Squeeze", [part], { axes: [axis] }), "last", i);
}

export const parts: Conversions = {
  CONCATENATION: concatenation,
  PACK: pack,
  REVERSE_V2: reverse,
  SLICE: slice,
  SPLIT: (source) => splitInto(source, 1, source.numbers(0, "its axis")[0] ?? 0),
  SPLIT_V: splitV,
  STRIDED_SLICE: stridedSlice,
  UNPACK: unpack,
};
