// Pad: elements added around the input (or, where a pad is negative, taken away). What is added is a constant, or
// taken from the input: its border repeated (edge), mirrored (reflect), or its other end (wrap).

import type { Node } from "../../graph/graph";
import { addDims, countOf, type Dim, multiplyDims, type Shape } from "../../graph/symbols";
import { bytesPerElement, sizeOf } from "../../graph/tensor";
import { axesOf, dimsOf, missing } from "../axes";
import {
  elementOf,
  emitCopy,
  memoryOrder,
  memoryStrides,
  requireSameCodes,
  shifted,
  walkable,
} from "../copy";
import { listLike, numericShape, stridesOf } from "../known";
import {
  checkComputed,
  inputType,
  type Lowering,
  numberOf,
  type Op,
  opError,
  stringOf,
  type Traits,
  type Unit,
} from "../op";
import { sizesIn } from "../sizes";

export interface Padding<Size extends Dim = number> {
  readonly before: Size;
  readonly after: Size;
}

/** Pads of every axis. */
function paddingIn(node: Node, rank: number): Padding<Dim>[] {
  const pads = dimsOf(node, "pads");
  if (!pads) throw missing(node, "pads");
  const axes = axesOf(node, rank) ?? Array.from({ length: rank }, (_, axis) => axis);
  if (pads.length !== axes.length * 2)
    throw opError(node, "pads does not fit", {
      expected: `${axes.length * 2} integers`,
      got: `[${pads.join(", ")}]`,
    });
  const padding = Array.from({ length: rank }, (): Padding<Dim> => ({ before: 0, after: 0 }));
  for (const [i, axis] of axes.entries()) padding[axis] = { before: pads[i]!, after: pads[i + axes.length]! };
  return padding;
}

/** Pads of every axis, in numbers. Throws SizesNeeded where a run finds them. */
export function paddingOf(node: Node, rank: number): Padding[] {
  const padding = paddingIn(node, rank);
  sizesIn(
    `${node.op} "${node.name}"`,
    padding.flatMap(({ before, after }) => [before, after]),
  );
  return padding as Padding[];
}

const modes = ["constant", "edge", "reflect", "wrap"] as const;

export function modeOf(node: Node): (typeof modes)[number] {
  const mode = stringOf(node, "mode", "constant");
  const known = modes.find((name) => name === mode);
  if (!known) throw opError(node, "mode is unknown", { expected: modes.join(", "), got: mode });
  return known;
}

const padded = (shape: Shape, padding: readonly Padding<Dim>[]): Dim[] =>
  shape.map((dim, axis) => addDims(dim, addDims(padding[axis]!.before, padding[axis]!.after)));

/** Where element `i` of the padded axis comes from; −1 for the constant. */
function sourceOf(mode: (typeof modes)[number], i: number, dim: number): number {
  if (i >= 0 && i < dim) return i;
  if (mode === "constant" || dim === 0) return -1;
  if (mode === "edge") return i < 0 ? 0 : dim - 1;
  if (mode === "wrap") return ((i % dim) + dim) % dim;
  const period = Math.max(1, 2 * (dim - 1));
  const at = ((i % period) + period) % period;
  return Math.min(at, period - at) % dim;
}

export const pad: Op = {
  inputs: 4,
  attributes: ["mode"],
  parameters: { 1: "pads", 2: "value", 3: "axes" },
  open: [1],
  computable: [2],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    checkComputed(node, pad, inputs);
    const shape = padded(x.shape, paddingIn(node, x.shape.length));
    if (shape.some((dim) => typeof dim === "number" && dim < 0))
      throw opError(node, "more is taken away than there is", { got: `[${shape.join(", ")}]` });
    return [{ dtype: x.dtype, shape }];
  },
  rows: (node, [x]) => paddingIn(node, x!.shape.length)[x!.axis]!.before === 0,
  layout: (_, [layout]) => ({ inputs: [walkable(layout)], outputs: [walkable(layout)] }),
  lower,
  lowerInteger(unit, c) {
    requireSameCodes(unit);
    lower(unit, c);
  },
};

/** The constant everywhere first, then the input over it; or the input, then its borders axis by axis. */
function lower(unit: Unit, c: Lowering): void {
  const { node, inputs, outputs } = unit;
  const [input, output] = [inputs[0]!, outputs[0]!];
  const { dtype, shape: from } = c.type(input);
  const { shape } = c.type(output);
  const padding = paddingOf(node, from.length);
  const mode = modeOf(node);
  const y = c.output(output);
  const order = memoryOrder(from.length, c.layout(output));
  const xStrides = memoryStrides(from, c.layout(input));
  const yStrides = memoryStrides(shape, c.layout(output));
  const at = (stride: readonly Dim[], offsets: readonly number[]) =>
    offsets.reduce<Dim>((sum, offset, axis) => addDims(sum, multiplyDims(offset, stride[axis]!)), 0);

  if (mode === "constant") fill(unit, c, y);
  const kept = from.map((dim, axis) => {
    const { before, after } = padding[axis]!;
    const own = addDims(dim, Math.min(0, before) + Math.min(0, after));
    if (own !== dim) c.needs(addDims(own, 1), output);
    return own;
  });
  emitCopy(
    node,
    c,
    dtype,
    shifted(
      y,
      at(
        yStrides,
        padding.map(({ before }) => Math.max(0, before)),
      ),
      dtype,
    ),
    shifted(
      c.input(input),
      at(
        xStrides,
        padding.map(({ before }) => Math.max(0, -before)),
      ),
      dtype,
    ),
    order.map((axis) => ({ extent: kept[axis]!, y: yStrides[axis]!, x: xStrides[axis]! })),
  );
  if (mode === "constant") return;

  // Axes done so far are complete in y, the others reach only as far as the input.
  const reach = [...kept];
  for (const [axis, { before, after }] of padding.entries()) {
    for (const side of borders(node, mode, before, after, kept[axis]!)) {
      const origin = padding.map((own, i) => (i <= axis ? 0 : Math.max(0, own.before)));
      const place = (position: number) =>
        shifted(
          y,
          at(
            yStrides,
            origin.map((own, i) => (i === axis ? position : own)),
          ),
          dtype,
        );
      const loops = order.map((i) => ({
        extent: i === axis ? side.extent : reach[i]!,
        y: yStrides[i]!,
        x: i === axis ? multiplyDims(yStrides[i]!, side.step) : yStrides[i]!,
      }));
      emitCopy(node, c, dtype, place(side.to), place(side.from), loops);
    }
    reach[axis] = shape[axis]!;
  }
}

/** For both ends of an axis: where in y the border begins, and from where and how it is read. */
function borders(node: Node, mode: "edge" | "reflect" | "wrap", before: number, after: number, size: Dim) {
  if (before <= 0 && after <= 0) return [];
  const [kept] = sizesIn(`${node.op} "${node.name}"`, [size]) as [number];
  const longest = mode === "edge" ? Infinity : mode === "wrap" ? kept : kept - 1;
  if (kept <= 0)
    throw opError(node, "nothing of the input is left to take a border from", {
      expected: "at least 1 element beside what negative pads take away",
      got: `${kept}`,
    });
  if (Math.max(before, after) > longest)
    throw opError(node, `a border is longer than what ${mode} can take it from`, {
      expected: `at most ${longest}`,
      got: `${Math.max(before, after)} around ${kept}`,
    });
  const first = Math.max(0, before);
  const last = first + kept - 1;
  const [head, tail, step] = {
    edge: [first, last, 0],
    reflect: [first + first, last - 1, -1],
    wrap: [last + 1 - first, first, 1],
  }[mode] as [number, number, number];
  return [
    { extent: Math.max(0, before), to: 0, from: head, step },
    { extent: Math.max(0, after), to: last + 1, from: tail, step },
  ];
}

function fill(unit: Unit, c: Lowering, y: Parameters<typeof emitCopy>[3]): void {
  const { dtype, shape } = c.type(unit.outputs[0]!);
  const computed = unit.inputs[2];
  const value = computed ? 0 : elementOf(unit, dtype, numberOf(unit.node, "value", 0));
  if (!computed && bytesPerElement[dtype] === 4) return c.emit("fill32", [y, value], countOf(shape));
  const [rows = 1, ...rest] = shape;
  const cols = countOf(rest);
  const one = computed ? c.input(computed) : c.data(Uint8Array.of(value));
  emitCopy(unit.node, c, dtype, y, one, [
    { extent: rows, y: cols, x: 0 },
    { extent: cols, y: 1, x: 0 },
  ]);
}

export const padTraits: Traits = {
  codes: "pads",
  homogeneous: undefined,
  trained: undefined,
  idle: (node) => dimsOf(node, "pads")?.every((pad) => pad === 0) ?? false,
  evaluate(node, [x]) {
    if (!x || node.inputs[2] || !numericShape(dimsOf(node, "pads") ?? [])) return undefined;
    const padding = paddingOf(node, x.shape.length);
    const shape = padded(x.shape, padding) as number[];
    const mode = modeOf(node);
    const value = numberOf(node, "value", 0);
    const data = listLike(x, sizeOf(shape));
    const [from, to] = [stridesOf(x.shape), stridesOf(shape)];
    for (let i = 0; i < data.length; i++) {
      let at = 0;
      for (const [axis, stride] of to.entries()) {
        const own = (Math.floor(i / stride) % shape[axis]!) - padding[axis]!.before;
        const source = sourceOf(mode, own, x.shape[axis]!);
        at = source < 0 || at < 0 ? -1 : at + source * from[axis]!;
      }
      data[i] = at < 0 ? value : x.data[at]!;
    }
    return [{ dtype: x.dtype, shape, data }];
  },
};
