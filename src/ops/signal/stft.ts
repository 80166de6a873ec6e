import type { Node, ValueType } from "../../graph/graph";
import { type Dim, formatShape, multiplyDims } from "../../graph/symbols";
import { missing } from "../axes";
import { elementsOf, floatType, numberOf, numbersOf, type Op, opError, type Traits } from "../op";
import { checkTransform, type Transform } from "./fourier";
import { transform } from "./product";

interface Frames {
  readonly step: number;
  readonly count: number;
  readonly batch: Dim;
  /** Numbers of a signal. */
  readonly length: number;
  readonly transform: Transform;
}

function framesOf(node: Node, { shape }: ValueType, window: ValueType | undefined): Frames {
  const [batch, extent, from] = shape;
  const [step] = numbersOf(node, "frame_step", []);
  if (step === undefined) throw missing(node, "frame_step");
  const isOneSided = numberOf(node, "onesided", 1) !== 0;
  if (shape.length !== 3 || typeof extent !== "number" || (from !== 1 && (from !== 2 || isOneSided)))
    throw opError(node, "its signal does not fit", {
      expected: `[batch, length, ${isOneSided ? "1" : "1 or 2"}] of a known length`,
      got: formatShape(shape),
      hint: "Fix the length when importing: sizes",
    });
  const [points = (window?.shape[0] as number | undefined) ?? extent] = numbersOf(node, "frame_length", []);
  if (!(step > 0) || !(points > 0) || points > extent || (window && `${window.shape}` !== `${points}`))
    throw opError(node, "its frames do not fit", {
      expected: `a step of 1 or more, and of 1 to ${extent} elements, as many as its window has`,
      got: `a step of ${step}, frames of ${points}${window ? `, a window ${formatShape(window.shape)}` : ""}`,
    });
  const made = isOneSided ? Math.floor(points / 2) + 1 : points;
  const own: Transform = { points, read: points, from, to: 2, made, isInverse: false, isHalf: false };
  return {
    step,
    count: Math.floor((extent - points) / step) + 1,
    batch: batch!,
    length: extent * from,
    transform: own,
  };
}

/** Fourier transforms of frames of a signal [batch, length, 1] or, complex, 2, which a window is multiplied with. ONNX STFT-17. */
export const sTFT: Op = {
  inputs: 4,
  attributes: ["onesided"],
  parameters: { 1: "frame_step", 3: "frame_length" },
  infer(node, inputs) {
    const x = floatType(node, inputs, 0);
    const { batch, count, transform: own } = framesOf(node, x, inputs[2] && floatType(node, inputs, 2));
    checkTransform(node, own);
    return [{ dtype: "f32", shape: [batch, count, own.made, 2] }];
  },
  rows: (_, [x]) => x!.axis === 0,
  lower({ node, inputs, outputs }, c) {
    const [x, , window = ""] = inputs as [string, string?, string?];
    const held = window === "" ? undefined : c.constant(window);
    const isComputed = window !== "" && !held;
    const frames = framesOf(node, c.type(x), window === "" ? undefined : c.type(window));
    const { step, count, batch, length, transform: own } = frames;
    const size = own.read * own.from;
    const y = c.output(outputs[0]!);
    const factors = held && elementsOf(held);
    // Frames of one signal are rows that overlap.
    if (c.isOne(batch) && !isComputed)
      return transform(c, own, count, { y, x: c.input(x), ldx: step * own.from }, factors);
    const rows = multiplyDims(batch, count);
    const unfolded = c.temporary(multiplyDims(rows, size * 4));
    c.emit("frames", [unfolded, c.input(x), length, step * own.from, size, count], rows);
    if (isComputed) {
      const strides = [size, own.from, 1, 0, 1, 0] as const;
      const places = [unfolded, unfolded, c.input(window)] as const;
      c.emit("mul", [...places, own.read, own.from, ...strides, -Infinity, Infinity], rows);
    }
    transform(c, own, rows, { y, x: unfolded, ldx: size }, factors);
  },
};

export const sTFTTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
};
