// The gradient of a learned scale of activations: what its codes were rounded from is found once more, exactly, from the codes
// that were read.

import { countOf } from "../../graph/symbols";
import { type Tensor, tensor } from "../../graph/tensor";
import { perChannelScales, perTensor } from "../../ops/codes";
import { channelAxis, isLayer } from "../../ops/linear-layer";
import { opError, type Unit } from "../../ops/op";
import { toolkitOps } from "../../ops/toolkit";
import { scaleFactor } from "../ops/learned-scale";
import type { Backward } from "./rule";

/** Largest code of an activation. */
const LIMIT = 255;

/**
 * Writes it for the codes a unit makes, where `dy` is their gradient before it is masked; `real` writes what they are in floats.
 * Returns a value that has a number a sample.
 */
export function scaleGradientOf(unit: Unit, dy: string, b: Backward, real: () => string): string {
  const { node, integer, outputs } = unit;
  const { scale, zeroPoint } = perTensor(integer!.output, node);
  const features = countOf(b.type(outputs[0]!).shape.slice(1));
  if (typeof features !== "number") throw opError(node, "only the batch may be open", { got: features });
  const factor = scaleFactor(features, LIMIT);
  if (isLayer(node, toolkitOps)) return ofLayer(unit, dy, b, factor);
  const attributes = { scale: scale[0]!, zero: zeroPoint[0]!, factor };
  return b.write("CodeScaleGradient", [dy, real()], attributes)[0];
}

function ofLayer(
  { node, inputs, outputs, integer, clamp }: Unit,
  dy: string,
  b: Backward,
  factor: number,
): string {
  const [x, w, bias = ""] = inputs as [string, string, string?];
  const [xq, yq] = [perTensor(integer!.inputs[0], node), perTensor(integer!.output, node)];
  const wq = integer!.inputs[1]!;
  const { shape } = b.type(outputs[0]!);
  const channels = shape[channelAxis(node, shape.length, toolkitOps)] as number;
  const scales = (): Tensor => tensor("f32", [channels], perChannelScales(wq, channels));
  const read = [x, w, bias, wq.dynamic?.scale ?? b.data(scales()), dy];
  const attributes = {
    ...node.attributes,
    x_scale: xq.scale[0]!,
    x_zero: xq.zeroPoint[0]!,
    y_scale: yq.scale[0]!,
    y_zero: yq.zeroPoint[0]!,
    ...(clamp ?? {}),
    factor,
  };
  return b.write(`${node.op}ScaleGradient`, read, attributes)[0];
}
