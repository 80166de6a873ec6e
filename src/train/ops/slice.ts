// SliceGradient: zeros of attribute `shape`, and its input where a Slice with the same attributes takes elements from.

import { addDims, countOf, type Dim, formatShape, multiplyDims } from "../../graph/symbols";
import { dimsOf, missing } from "../../ops/axes";
import { emitCopy, memoryOrder, memoryStrides, shifted, walkable } from "../../ops/copy";
import { cutsOf } from "../../ops/core/slice";
import { floatType, type Op, opError } from "../../ops/op";

export const sliceGradient: Op = {
  infer(node, inputs) {
    const dy = floatType(node, inputs, 0);
    const shape = dimsOf(node, "shape");
    if (!shape) throw missing(node, "shape");
    const expected = formatShape(cutsOf(node, shape).map((cut) => cut.extent));
    if (formatShape(dy.shape) !== expected)
      throw opError(node, "its input is not of this slice", { expected, got: formatShape(dy.shape) });
    return [{ dtype: "f32", shape }];
  },
  rows: true,
  layout: (_, [layout]) => ({ inputs: [walkable(layout)], outputs: [walkable(layout)] }),
  lower({ node, inputs, outputs }, c) {
    const [dy, dx] = [inputs[0]!, outputs[0]!];
    const { shape } = c.type(dx);
    const cuts = cutsOf(node, shape);
    const layout = c.layout(dx);
    const to = memoryStrides(shape, layout);
    const from = memoryStrides(c.type(dy).shape, c.layout(dy));
    const first = cuts.reduce<Dim>((sum, { start }, i) => addDims(sum, multiplyDims(start, to[i]!)), 0);
    const loops = memoryOrder(shape.length, layout).map((axis) => ({
      extent: cuts[axis]!.extent,
      y: multiplyDims(to[axis]!, cuts[axis]!.step),
      x: from[axis]!,
    }));
    const at = c.output(dx);
    c.emit("fill32", [at, 0], countOf(shape));
    emitCopy(node, c, "f32", shifted(at, first, "f32"), c.input(dy), loops);
  },
};
