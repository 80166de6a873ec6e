// Fourier transforms: the gradient of a signal is the transform the other way round of what it was transformed to.

import type { Attribute } from "../../graph/graph";
import { tensor } from "../../graph/tensor";
import { numberOf, numbersOf } from "../../ops/op";
import { sizesIn } from "../../ops/sizes";
import type { Backward, Rule } from "./rule";

/** Gradients of signals: a transform of dy, of which a signal has as many elements as factors, each of `from` numbers. */
function ofSignals(
  b: Backward,
  dy: string,
  transform: Readonly<Record<string, Attribute>>,
  factors: readonly number[],
  from: number,
): string {
  const [turned] = b.write("DFT", [dy], transform);
  const part = { starts: [0, 0], ends: [factors.length, from], axes: [-2, -1] };
  const [read] = b.write("Slice", [turned], part);
  return b.write("BroadcastMul", [read, b.data(tensor("f32", [factors.length, 1], factors))])[0];
}

/** Elements that no transform reads have none. */
export const dFT: Rule = ({ node, inputs: [x] }, [dy], b) => {
  const { shape } = b.type(x!);
  const [extent, from] = sizesIn(`DFT "${node.name}"`, shape.slice(-2)) as [number, number];
  const isInverse = numberOf(node, "inverse", 0) !== 0;
  const isHalf = isInverse && numberOf(node, "onesided", 0) !== 0;
  const [points = isHalf ? 2 * (extent - 1) : extent] = numbersOf(node, "dft_length", []);
  const scale = isInverse ? 1 / points : points;
  const length = Math.min(extent, isHalf ? Math.floor(points / 2) + 1 : points);
  // The other half of a signal is its first, mirrored.
  const factors = Array.from({ length }, (_, n) => (isHalf && n > 0 && 2 * n !== points ? 2 : 1) * scale);
  const turn = { inverse: isInverse ? 0 : 1, onesided: isHalf ? 1 : 0, dft_length: [points] };
  const signals = ofSignals(b, dy!, turn, factors, from);
  const place = { shape, starts: [0], ends: [length], axes: [-2] };
  b.give(x!, length === extent ? signals : b.write("SliceGradient", [signals], place)[0]);
};

/** Elements of several frames have the sum of theirs, and of a window that of all frames. */
export const sTFT: Rule = ({ node, inputs: [x, , window = ""], outputs: [y] }, [dy], b) => {
  const { shape } = b.type(x!);
  const [extent, from] = shape.slice(1) as [number, number];
  const count = b.type(y!).shape[1] as number;
  const held = window === "" ? undefined : b.constant(window);
  const [step] = numbersOf(node, "frame_step", []) as [number];
  const [length = window === "" ? extent : (b.type(window).shape[0] as number)] = numbersOf(
    node,
    "frame_length",
    [],
  );
  const factors = Array.from({ length }, (_, n) => (held?.data[n] ?? 1) * length);
  const frames = ofSignals(b, dy!, { inverse: 1, dft_length: [length] }, factors, from);
  const places = Array.from(
    { length: count * length },
    (_, i) => Math.floor(i / length) * step + (i % length),
  );
  const indices = b.data(tensor("i32", [count, length], places));
  const isComputed = window !== "" && !held;
  if (isComputed && b.wants(window)) {
    const [taken] = b.write("Gather", [x!, indices], { axis: 1 });
    const [products] = b.write("BroadcastMul", [taken, frames]);
    b.give(window, b.write("ReduceSum", [products], { axes: [0, 1, 3], keepdims: 0 })[0]);
  }
  if (!b.wants(x!)) return;
  const own = isComputed
    ? b.write("BroadcastMul", [frames, b.write("Reshape", [window], { shape: [length, 1] })[0]])[0]
    : frames;
  b.give(x!, b.write("GatherGradient", [own, indices], { shape, axis: 1 })[0]);
};
