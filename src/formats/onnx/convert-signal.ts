// Conversions of operators over signals.

import { tensor } from "../../graph/tensor";
import { portableExp, portableLog } from "../../portable-math";
import type { Conversion, Source } from "./source";

/** Its axis became an input in opset 20. */
export const dFT: Conversion = (source) => {
  if (source.opset >= 20) return [source.node(source.attributes())];
  return [source.node({ axis: [source.int("axis", 1)], ...source.attributes() })];
};

const toMel = (hertz: number) => (2595 * portableLog(1 + hertz / 700)) / Math.LN10;
const toHertz = (mel: number) => 700 * (portableExp((mel / 2595) * Math.LN10) - 1);

/** Most numbers of a matrix. */
const MOST_NUMBERS = 2 ** 24;

/** Triangles over the bins of a spectrum, [bins, bands], their corners apart as pitches are heard. */
function melWeights(source: Source, [bands, points, rate, low, high]: readonly number[]): Float32Array {
  const bins = Math.floor(points! / 2) + 1;
  const isWhole = [bands!, points!, rate!].every((size) => Number.isInteger(size) && size > 0);
  if (!isWhole || !(low! >= 0) || !(high! >= low!) || bins * bands! > MOST_NUMBERS)
    throw source.error("its bands do not fit", {
      expected: `whole numbers above 0, edges in their order, at most ${MOST_NUMBERS} weights`,
      got: `${bands} bands of ${points} points at ${rate} Hz, ${low} to ${high} Hz`,
    });
  const step = (toMel(high!) - toMel(low!)) / (bands! + 2);
  const corners = Array.from({ length: bands! + 2 }, (_, i) =>
    Math.floor(((points! + 1) * toHertz(toMel(low!) + i * step)) / rate!),
  );
  const weights = new Float32Array(bins * bands!);
  const put = (bin: number, band: number, weight: number) => {
    if (bin < bins) weights[bin * bands! + band] = weight;
  };
  for (let band = 0; band < bands!; band++) {
    const [left, center, right] = corners.slice(band, band + 3) as [number, number, number];
    if (left === center) put(center, band, 1);
    else for (let j = left; j <= Math.min(center, bins - 1); j++) put(j, band, (j - left) / (center - left));
    for (let j = center; j < Math.min(right, bins); j++) put(j, band, (right - j) / (right - center));
  }
  return weights;
}

/** A constant. */
export const melWeightMatrix: Conversion = (source) => {
  source.ignore("output_datatype", ...source.inputs);
  const known = source.inputs.map((name) => source.constant(name)?.data[0]);
  const missing = known.indexOf(undefined);
  if (known.length !== 5 || missing >= 0)
    throw source.error("its inputs are computed", { expected: "5 constants" });
  const [bands, points] = known as number[];
  const weights = melWeights(source, known as number[]);
  const shape = [Math.floor(points! / 2) + 1, bands!];
  const held = source.define(`${source.name}_weights`, tensor("f32", shape, weights));
  return [source.node({}, { op: "Identity", inputs: [held] })];
};
