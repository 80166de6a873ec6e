// Resize, and what it was called before opset 11. What picks elements is the op Resize, what weighs them the op Interpolate.

import type { Attribute } from "../../graph/graph";
import { nearestModeOf } from "./nearest-mode";
import type { Conversion, Source } from "./source";

/** What says nothing of a mode. */
const unread: Readonly<Record<string, readonly string[]>> = {
  nearest: ["antialias", "cubic_coeff_a", "exclude_outside"],
  linear: ["cubic_coeff_a", "nearest_mode"],
  cubic: ["nearest_mode"],
};

/** The op that does it, with the attributes that say something to it. */
function withMode(source: Source, inputs: readonly string[], more: Readonly<Record<string, Attribute>>) {
  const mode = source.attribute("mode") ?? "nearest";
  const ignored = typeof mode === "string" && Object.hasOwn(unread, mode) ? unread[mode] : undefined;
  if (!ignored)
    throw source.error("mode is unknown", { expected: Object.keys(unread).join(", "), got: `${mode}` });
  source.ignore(...ignored);
  const isNearest = mode === "nearest";
  const attributes = { ...source.attributes(), ...more, ...(isNearest ? {} : { mode }) };
  return [source.node(attributes, { op: isNearest ? "Resize" : "Interpolate", inputs })];
}

/** Coordinates as they were before opset 11. Where an axis gets shorter, ONNX Runtime takes the element above. */
function asymmetric(source: Source, scales: ArrayLike<number> | undefined) {
  const coordinates = { coordinate_transformation_mode: "asymmetric" };
  if ((source.attribute("mode") ?? "nearest") !== "nearest") return coordinates;
  return { ...coordinates, nearest_mode: nearestModeOf(scales) ?? "ceil_if_shorter" };
}

export const resize: Conversion = (source) => {
  const [x = "", roi = "", ...rest] = source.inputs;
  if (source.opset < 11)
    return withMode(source, [x, "", roi], asymmetric(source, source.constant(roi)?.data));
  // The region of interest belongs to crops: others do not miss one that a run computes.
  const coordinates = source.attribute("coordinate_transformation_mode") ?? "half_pixel";
  const isCrop = coordinates === "tf_crop_and_resize";
  if (!isCrop) source.ignore(roi, "extrapolation_value");
  return withMode(source, [x, isCrop ? roi : "", ...rest], { coordinate_transformation_mode: coordinates });
};

/** Its scales are an attribute before opset 9. No axis gets shorter. */
export const upsample: Conversion = (source) => {
  const [x = "", scales = ""] = source.inputs;
  return withMode(source, scales === "" ? [x] : [x, "", scales], asymmetric(source, []));
};
