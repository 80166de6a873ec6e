// What ops that pick or put by indices share: how indices are checked, how elements are reduced, and copies that only some ops need.

import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, formatShape, type Shape } from "../../graph/symbols";
import type { DType } from "../../graph/tensor";
import { emitCopy, type Loop, memoryStrides } from "../copy";
import { mayBeSame } from "../equal";
import { type Address, inputType, type Lowering, opError, stringOf } from "../op";

/** Number by which kernels know an element type. */
export const typeNumber: Readonly<Record<DType, number>> = { f32: 0, i32: 1, u8: 2, bool: 2, i8: 3 };

/** The bits of a number as an element in memory. */
export const heldAs = (dtype: DType, value: number): number =>
  dtype === "i8" ? value + 128 : dtype === "f32" ? new Int32Array(Float32Array.of(value).buffer)[0]! : value;

/** The type of the indices, input `i`. */
export function indexType(node: Node, inputs: readonly (ValueType | undefined)[], i: number): ValueType {
  const type = inputType(node, inputs, i);
  if (type.dtype === "i32") return type;
  throw opError(node, "its indices do not fit", { expected: "i32", got: type.dtype });
}

/** Input `i`, which has the type that is expected, and in some run the shape. */
export function checkUpdates(
  node: Node,
  inputs: readonly (ValueType | undefined)[],
  i: number,
  dtype: DType,
  shape: Shape,
): void {
  const got = inputType(node, inputs, i);
  if (got.dtype === dtype && mayBeSame(got.shape, shape)) return;
  throw opError(node, `input ${i} does not fit`, {
    expected: `${dtype} ${formatShape(shape)}`,
    got: `${got.dtype} ${formatShape(got.shape)}`,
  });
}

/** Refuses constant indices that pick nothing: `extents` are the sizes they go through, one after the other. */
export function checkConstantIndices(
  node: Node,
  c: Lowering,
  indices: string,
  extents: readonly Dim[],
): void {
  c.constant(indices)?.data?.forEach((index, i) => {
    const extent = extents[i % extents.length]!;
    if (typeof extent === "number" && (index < -extent || index >= extent))
      throw opError(node, "index out of range", {
        expected: `${-extent} to ${extent - 1}`,
        got: `${index}`,
      });
  });
}

const reductions: readonly string[] = ["none", "add", "mul", "min", "max"];

/** Attribute `reduction`, as kernels number it. Over bool the more is a sum and the less a product. */
export function reductionOf(node: Node, dtype: DType): number {
  const name = stringOf(node, "reduction", "none");
  const known = reductions.indexOf(name);
  if (known < 0) throw opError(node, "reduction is unknown", { expected: reductions.join(", "), got: name });
  return dtype === "bool" ? [0, 4, 3, 3, 4][known]! : known;
}

/** Memory of an output that begins as a copy of an input, or as the input itself where nothing else reads that. */
export function outputOf(node: Node, c: Lowering, output: string, input: string): Address {
  const { dtype, shape } = c.type(input);
  const y = c.output(output, input);
  const x = c.input(input);
  if (y.buffer !== x.buffer) emitCopy(node, c, dtype, y, x, [{ extent: countOf(shape), y: 1, x: 1 }]);
  return y;
}

/** The loops that copy the beginning of an array of shape `from` to one of shape `part`. */
export function loopsOfPart(from: Shape, part: Shape): Loop[] {
  const [x, y] = [memoryStrides(from, "plain"), memoryStrides(part, "plain")];
  return part.map((extent, i) => ({ extent, y: y[i]!, x: x[i]! }));
}
