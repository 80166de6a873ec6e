// The text form of preprocessing, `scale,mean,std`, as the command line and data sets take it; and how what normalized the data
// gets into a model.

import { OctetteError } from "../errors";
import type { Graph, Preprocessing } from "../graph/graph";
import type { Dataset } from "./dataset";

/** What pictures of bytes are normalized by under a name: as torchvision's models and the common recipes have it. */
const presets: Readonly<Record<string, string>> = {
  imagenet: "1/255,0.485:0.456:0.406,0.229:0.224:0.225",
  cifar10: "1/255,0.4914:0.4822:0.4465,0.247:0.2435:0.2616",
  cifar100: "1/255,0.5071:0.4867:0.4408,0.2675:0.2565:0.2761",
  mnist: "1/255,0.1307,0.3081",
  "0..1": "1/255,0,1",
  "-1..1": "1/255,0.5,0.5",
};

const FORM = `scale,mean,std with several channels joined by a colon, such as 1/255,0.1307,0.3081, or one of ${Object.keys(presets).join(", ")}`;

/**
 * `scale,mean,std[,nhwc][,numbers]` to preprocessing. Numbers may be fractions; mean and std may have one number a channel,
 * as in `1/255,0.4914:0.4822:0.4465,0.2470:0.2435:0.2616`. A name stands for the three: `imagenet`, `cifar10`, `cifar100`, `mnist`, `0..1`
 * or `-1..1`. `nhwc` says the images have their channels last, `numbers` that a
 * model is to normalize all that it is fed, not only bytes.
 */
export function parseNormalize(text: string): Preprocessing {
  const fail = (got: string) =>
    new OctetteError("cannot be read", { code: "argument", where: "normalize", expected: FORM, got });
  const number = (part: string) => {
    const [top, bottom, ...rest] = part.split("/").map((v) => (v.trim() === "" ? Number.NaN : Number(v)));
    const value = bottom === undefined ? top! : top! / bottom;
    if (rest.length > 0 || !Number.isFinite(value)) throw fail(`"${part}" in "${text}"`);
    return value;
  };
  const [first = "", ...words] = text.split(",").map((part) => part.trim());
  const preset = Object.hasOwn(presets, first) ? presets[first]!.split(",") : [first];
  const parts = [...preset, ...words];
  const of = parts.at(-1) === "numbers" ? "numbers" : undefined;
  const [scale, mean, std, layout, ...rest] = of ? parts.slice(0, -1) : parts;
  if (scale === undefined || mean === undefined || std === undefined || rest.length > 0)
    throw fail(`"${text}"`);
  if (layout !== undefined && layout !== "nhwc" && layout !== "nchw") throw fail(`layout "${layout}"`);
  const parsed: Preprocessing = {
    layout: layout ?? "nchw",
    scale: number(scale),
    mean: mean.split(":").map(number),
    std: std.split(":").map(number),
    ...(of && { of }),
  };
  if (parsed.std.includes(0)) throw fail(`a std of 0 in "${text}"`);
  if (parsed.mean.length !== parsed.std.length && parsed.mean.length !== 1 && parsed.std.length !== 1)
    throw fail(`${parsed.mean.length} means and ${parsed.std.length} stds`);
  return parsed;
}

/** The text that `parseNormalize` reads back. */
export const formatNormalize = ({ scale, mean, std, layout, of }: Preprocessing): string => {
  const whole = Math.round(1 / scale);
  const factor = whole > 1 && whole < Infinity && 1 / whole === scale ? `1/${whole}` : `${scale}`;
  const words = [...(layout === "nhwc" ? [layout] : []), ...(of ? [of] : [])];
  return [factor, mean.join(":"), std.join(":"), ...words].join(",");
};

/**
 * The graph with the normalization of a data set, so that `quantize`, `tune` and `save` make a model that takes what the data set held:
 * bytes, or any numbers. An input that normalizes any numbers goes on to.
 */
export const withPreprocessing = (
  graph: Graph,
  { preprocessing }: Pick<Dataset, "preprocessing">,
): Graph => ({
  ...graph,
  inputs: graph.inputs.map((input) => {
    const [own, applied] = [input.preprocessing, preprocessing[input.name]];
    if (!applied) return input;
    return { ...input, preprocessing: { ...applied, ...(own?.of && { of: own.of }) } };
  }),
});
