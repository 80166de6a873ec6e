// NonMaxSuppression: of boxes that overlap, those with the best scores, as [batch, class, box]. Batches and classes one after another, the
// best box first. ONNX NonMaxSuppression-11.

import { tensor } from "../../graph/tensor";
import { foundBy } from "../act";
import { inputType, numberOf, numbersOf, type Op, opError } from "../op";
import { findingTraits } from "./finding";

type Box = readonly [y1: number, x1: number, y2: number, x2: number];

const f = Math.fround;

/** Corners in order: of [y1, x1, y2, x2] in any order, or of centre and size. */
function boxAt(data: ArrayLike<number>, at: number, isCentred: boolean): Box {
  const [a, b, c, d] = [data[at]!, data[at + 1]!, data[at + 2]!, data[at + 3]!];
  if (!isCentred) return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
  const [halfW, halfH] = [f(c / 2), f(d / 2)];
  return [f(b - halfH), f(a - halfW), f(b + halfH), f(a + halfW)];
}

const areaOf = ([y1, x1, y2, x2]: Box) => f(f(y2 - y1) * f(x2 - x1));

/** Whether intersection over union is above a threshold. */
function overlaps(a: Box, b: Box, threshold: number): boolean {
  const [height, width] = [
    f(Math.min(a[2], b[2]) - Math.max(a[0], b[0])),
    f(Math.min(a[3], b[3]) - Math.max(a[1], b[1])),
  ];
  if (height <= 0 || width <= 0) return false;
  const shared = f(height * width);
  const union = f(f(areaOf(a) + areaOf(b)) - shared);
  return areaOf(a) > 0 && areaOf(b) > 0 && union > 0 && f(shared / union) > threshold;
}

export const nonMaxSuppression: Op = {
  inputs: 5,
  attributes: ["center_point_box"],
  parameters: { 2: "max_output_boxes_per_class", 3: "iou_threshold", 4: "score_threshold" },
  open: [2, 3, 4],
  infer(node, inputs) {
    const [boxes, scores] = [inputType(node, inputs, 0), inputType(node, inputs, 1)];
    if (boxes.shape.length !== 3 || boxes.shape[2] !== 4 || scores.shape.length !== 3)
      throw opError(node, "boxes and scores do not fit", {
        expected: "boxes [batch, n, 4], scores [batch, classes, n]",
        got: `[${boxes.shape}] and [${scores.shape}]`,
      });
    return [{ dtype: "i32", shape: [foundBy(node)[0]!, 3] }];
  },
  finds: () => 1,
  act(node, [boxes, scores]) {
    const [batches, classes, n] = scores!.shape as [number, number, number];
    const most = numbersOf(node, "max_output_boxes_per_class", [0])[0] ?? 0;
    const threshold = f(numbersOf(node, "iou_threshold", [0])[0] ?? 0);
    const least = f(numbersOf(node, "score_threshold", [-Infinity])[0] ?? -Infinity);
    const isCentred = numberOf(node, "center_point_box", 0) === 1;
    const selected: number[] = [];
    for (let batch = 0; batch < batches; batch++) {
      const own = Array.from({ length: n }, (_, i) => boxAt(boxes!.data, (batch * n + i) * 4, isCentred));
      for (let c = 0; c < classes; c++) {
        const score = (i: number) => scores!.data[(batch * classes + c) * n + i]!;
        const order = own.map((_, i) => i).filter((i) => score(i) > least);
        order.sort((a, b) => score(b) - score(a) || a - b);
        const kept: number[] = [];
        for (const i of order) {
          if (kept.length >= most) break;
          if (kept.every((other) => !overlaps(own[i]!, own[other]!, threshold))) kept.push(i);
        }
        for (const i of kept) selected.push(batch, c, i);
      }
    }
    const count = selected.length / 3;
    return { outputs: [tensor("i32", [count, 3], selected)], found: [count] };
  },
};

export const nonMaxSuppressionTraits = findingTraits;
