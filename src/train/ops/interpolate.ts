// InterpolateGradient: the windows of a Resize or an Interpolate turned round, so that every element of dx, of attribute `shape`, is a
// weighted sum of dy.

import { countOf, formatShape, multiplyDims } from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { dimsOf, missing } from "../../ops/axes";
import { emitCopy } from "../../ops/copy";
import { floatType, type Op, opError } from "../../ops/op";
import { isStill, resizedAxes, resizedShape, turnedWindows, windowsOf } from "../../ops/vision/resized-axes";

export const interpolateGradient: Op = {
  infer(node, inputs) {
    const dy = floatType(node, inputs, 0);
    const shape = dimsOf(node, "shape");
    if (!shape) throw missing(node, "shape");
    const expected = formatShape(resizedShape(node, shape));
    if (formatShape(dy.shape) !== expected)
      throw opError(node, "its input is not of this Resize", { expected, got: formatShape(dy.shape) });
    return [{ dtype: "f32", shape }];
  },
  rows: (node, _, [dx]) => isStill(resizedAxes(node, dx!.shape)[dx!.axis]!),
  lower({ node, inputs: [dy = ""], outputs: [dx = ""] }, c) {
    const { shape } = c.type(dx);
    const reach = [...c.type(dy).shape];
    const mode = node.attributes.mode === undefined ? "nearest" : "interpolate";
    const axes = resizedAxes(node, shape).filter((axis) => !isStill(axis));
    const last = c.output(dx);
    let from = c.input(dy);
    for (const [i, { axis, ...own }] of axes.entries()) {
      const windows = turnedWindows(windowsOf(node, mode, { axis, ...own }), own.from as number);
      const [outer, inner] = [countOf(reach.slice(0, axis)), countOf(reach.slice(axis + 1))];
      reach[axis] = own.from;
      const to = i < axes.length - 1 ? c.temporary(multiplyDims(countOf(reach), bytesPerElement.f32)) : last;
      const tables = [c.data(windows.starts), c.data(windows.weights), windows.taps] as const;
      c.emit("interpolate", [to, from, ...tables, own.to, own.from, inner], outer);
      from = to;
    }
    if (axes.length === 0) emitCopy(node, c, "f32", last, from, [{ extent: countOf(shape), y: 1, x: 1 }]);
  },
};
