// Pad: what was added as a constant is dropped, what was taken from the input goes back to where it was taken from.

import type { Dim } from "../../graph/symbols";
import { asPad } from "../../ops/moves/center-crop-pad";
import { modeOf, type Padding, paddingOf } from "../../ops/moves/pad";
import { type Backward, checkFixed, type Rule } from "./rule";

type Mode = "edge" | "reflect" | "wrap";

/** Where a border lies, and where in between begins what it was taken from. */
interface Border {
  readonly from: number;
  readonly to: number;
  readonly source: Readonly<Record<Mode, number>>;
}

/** Borders are undone axis by axis, the last one first; then what had been cut off is zeros. */
export const pad: Rule = ({ node, inputs, outputs }, [dy], b) => {
  checkFixed(node);
  const padding = paddingOf(node, b.type(inputs[0]!).shape.length);
  const mode = modeOf(node);
  let gradient = dy!;
  const shape = [...b.type(outputs[0]!).shape];
  if (mode !== "constant")
    for (const [axis, own] of [...padding.entries()].reverse())
      if (own.before > 0 || own.after > 0) gradient = withoutBorders(b, gradient, shape, axis, own, mode);
  const left = mode === "constant" ? padding : padding.map(cut);
  const pads = [...left.map(({ before }) => -before), ...left.map(({ after }) => -after)];
  b.give(inputs[0]!, pads.some(Boolean) ? b.write("Pad", [gradient], { pads })[0] : gradient);
};

/** As the Pad that it is. */
export const centerCropPad: Rule = (unit, dy, b) => {
  const { node, inputs } = unit;
  checkFixed(node);
  pad({ ...unit, node: asPad(node, b.type(inputs[0]!).shape) }, dy, b);
};

const cut = ({ before, after }: Padding): Padding => ({
  before: Math.min(0, before),
  after: Math.min(0, after),
});

/** The gradient of what lies between the borders of an axis, theirs added. Shortens `shape` along it. */
function withoutBorders(
  b: Backward,
  dy: string,
  shape: Dim[],
  axis: number,
  own: Padding,
  mode: Mode,
): string {
  const [before, after] = [Math.max(0, own.before), Math.max(0, own.after)];
  // A border can only be made where the size is known.
  const kept = (shape[axis] as number) - before - after;
  const part = (start: number, end: number) =>
    b.write("Slice", [dy], { starts: [start], ends: [end], axes: [axis] })[0];
  let sum = part(before, before + kept);
  shape[axis] = kept;
  const end = before + kept;
  const borders: readonly Border[] = [
    { from: 0, to: before, source: { edge: 0, reflect: 1, wrap: kept - before } },
    { from: end, to: end + after, source: { edge: kept - 1, reflect: kept - 1 - after, wrap: 0 } },
  ];
  for (const { from, to, source } of borders) {
    if (from === to) continue;
    const [piece, extent] = gathered(b, part(from, to), shape, axis, to - from, mode);
    const place = {
      shape: [...shape],
      starts: [source[mode]],
      ends: [source[mode] + extent],
      axes: [axis],
    };
    sum = b.write("Add", [sum, b.write("SliceGradient", [piece], place)[0]])[0];
  }
  return sum;
}

/** A border as its source lies: repeated elements summed, mirrored ones turned round. */
function gathered(
  b: Backward,
  border: string,
  shape: readonly Dim[],
  axis: number,
  count: number,
  mode: Mode,
): readonly [string, number] {
  if (mode === "edge") return [b.write("SumTo", [border], { shape: shape.with(axis, 1) })[0], 1];
  if (mode === "wrap") return [border, count];
  const back = { starts: [count - 1], ends: [-count - 1], axes: [axis], steps: [-1] };
  return [b.write("Slice", [border], back)[0], count];
}
