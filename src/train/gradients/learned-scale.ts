// The gradient of a learned scale of activations: what its codes were rounded from is found once more, exactly, from the codes
// that were read.

import type { Node } from "../../graph/graph";
import { countOf } from "../../graph/symbols";
import { type Tensor, tensor } from "../../graph/tensor";
import { perChannelScales } from "../../ops/codes";
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
  const { node, outputs } = unit;
  const { scale, zeroPoint } = madeBy(node);
  const features = countOf(b.type(outputs[0]!).shape.slice(1));
  if (typeof features !== "number") throw opError(node, "only the batch may be open", { got: features });
  const factor = scaleFactor(features, LIMIT);
  if (isLayer(node, toolkitOps)) return ofLayer(unit, dy, b, factor);
  return b.write("CodeScaleGradient", [dy, real(), scale, zeroPoint], { factor })[0];
}

/** Names of the scale and zero point of the codes that a node makes. */
const madeBy = ({ inputs, codes }: Node) =>
  codes?.output ?? { scale: inputs[1]!, zeroPoint: inputs[2] ?? "" };

function ofLayer(
  { node, inputs, outputs, integer, clamp }: Unit,
  dy: string,
  b: Backward,
  factor: number,
): string {
  const [x, w, bias = ""] = inputs as [string, string, string?];
  const [xq, yq] = [node.codes!.inputs[0]!, node.codes!.output!];
  const wq = integer!.inputs[1]!;
  const { shape } = b.type(outputs[0]!);
  const channels = shape[channelAxis(node, shape.length, toolkitOps)] as number;
  const scales = (): Tensor => tensor("f32", [channels], perChannelScales(wq, channels));
  const layer = [x, w, bias, wq.dynamic?.scale ?? b.data(scales())];
  const read = [...layer, dy, xq.scale, xq.zeroPoint, yq.scale, yq.zeroPoint];
  return b.write(`${node.op}ScaleGradient`, read, { ...node.attributes, ...clamp, factor })[0];
}
