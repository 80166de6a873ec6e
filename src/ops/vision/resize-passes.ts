// A resize as passes along one axis each, in the order that moves the fewest elements.

import type { Node } from "../../graph/graph";
import { countOf, type Dim, multiplyDims } from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { emitCopy, memoryOrder, memoryStrides } from "../copy";
import { type Address, behind, type Lowering, numberOf, type Unit } from "../op";
import { isStill, type ResizedAxis, resizedAxes, type Windows, windowsOf } from "./resized-axes";

/** One axis of `axis.from` elements becomes one of `axis.to`: `outer` and `inner` count those around it in memory. */
export interface Pass {
  readonly axis: ResizedAxis;
  readonly windows: Windows;
  readonly to: Address;
  readonly from: Address;
  readonly outer: Dim;
  readonly inner: Dim;
}

/** The passes from x to y, which lie in one layout, through memory of their own: axes that grow least first, the innermost of equals. */
export function passesOf(node: Node, c: Lowering, y: string, x: string, mode: string): Pass[] {
  const { dtype, shape } = c.type(x);
  const order = memoryOrder(shape.length, c.layout(y));
  const growth = ({ from, to }: ResizedAxis) => Number(to) / Number(from);
  const axes = resizedAxes(node, shape)
    .filter((axis) => !isStill(axis))
    .sort((a, b) => growth(a) - growth(b) || order.indexOf(b.axis) - order.indexOf(a.axis));
  const reach = [...shape];
  const last = c.output(y);
  let from = c.input(x);
  const sizeOf = (dims: readonly number[]) => countOf(dims.map((axis) => reach[axis]!));
  const passes = axes.map((axis, i): Pass => {
    const at = order.indexOf(axis.axis);
    const [outer, inner] = [sizeOf(order.slice(0, at)), sizeOf(order.slice(at + 1))];
    reach[axis.axis] = axis.to;
    const isLast = i === axes.length - 1;
    const to = isLast ? last : c.temporary(multiplyDims(countOf(reach), bytesPerElement[dtype]));
    const pass = { axis, windows: windowsOf(node, mode, axis), to, from, outer, inner };
    from = to;
    return pass;
  });
  if (passes.length === 0) emitCopy(node, c, dtype, last, from, [{ extent: countOf(shape), y: 1, x: 1 }]);
  return passes;
}

/** Puts the extrapolation value where an axis lies outside of the input. `held` gives its bits as an element. */
export function fillOutside(
  { node, outputs: [y = ""] }: Unit,
  c: Lowering,
  passes: readonly Pass[],
  held: (value: number) => number,
): void {
  const { dtype, shape } = c.type(y);
  const strides = memoryStrides(shape, c.layout(y));
  const size = bytesPerElement[dtype];
  const bits = held(numberOf(node, "extrapolation_value", 0));
  const value = size === 1 ? Uint8Array.of(bits) : Int32Array.of(bits);
  const first = passes.at(-1)?.to;
  for (const { axis, windows } of passes)
    for (const [begin, end] of windows.outside) {
      const to = behind(first!, multiplyDims(strides[axis.axis]!, begin * size));
      const loops = memoryOrder(shape.length, c.layout(y)).map((i) => ({
        extent: i === axis.axis ? end - begin : shape[i]!,
        y: strides[i]!,
        x: 0,
      }));
      emitCopy(node, c, dtype, to, c.data(value), loops);
    }
}
