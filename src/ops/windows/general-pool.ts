// Poolings of volumes, of the places of largest elements, and by norms.

import { LARGEST, LARGEST_BYTE, MEAN, NORM, TAPS_BYTES } from "../../../assembly/windows/sizes";
import type { Node, ValueType } from "../../graph/graph";
import { channelsLast } from "../layout";
import {
  floatType,
  inputType,
  type Lowering,
  numberOf,
  type Op,
  opError,
  type Traits,
  type Unit,
} from "../op";
import { attributeWindow, attributeWindowIn, globalWindow, type WindowRule } from "../pool";
import { numbered, type Window, windowAttributes, windowType } from "../window";
import { channelwise, linesOf, meanVolume, ofImages, type Volume, volumeAt } from "./volume";

type VolumeRule = (node: Node, w: Window) => Volume;

function emitPool(
  { node, inputs, outputs }: Unit,
  c: Lowering,
  windowFor: WindowRule,
  volumeFor: VolumeRule,
  how: number,
  power: number,
): void {
  const [x, y] = [inputs[0]!, outputs[0]!];
  const w = numbered(node, c.type(x), windowFor(node, c.type(x)));
  const volume = volumeFor(node, w);
  const places = [c.output(y), c.input(x), volumeAt(c, volume), c.scratch(TAPS_BYTES)] as const;
  c.emit("poolVolume", [...places, how, power], linesOf(volume, w.batch));
}

const typesOf = (node: Node, x: ValueType, windowFor: WindowRule): readonly [ValueType] => {
  const w = windowFor(node, x);
  return [windowType(w, w.channels, x.dtype)];
};

/** MaxPool over one to three spatial dimensions, and where in the input each element was found. */
export const generalMaxPool: Op = {
  attributes: /* @__PURE__ */ windowAttributes.concat("storage_order"),
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    if (x.dtype !== "f32" && (node.outputs.length > 1 || (x.dtype !== "u8" && x.dtype !== "i8")))
      throw opError(node, "element type does not fit", {
        expected: "f32, or u8 or i8 without places",
        got: x.dtype,
      });
    const [y] = typesOf(node, x, attributeWindow);
    const places: ValueType = { dtype: "i32", shape: y.shape };
    return [y, places].slice(0, node.outputs.length);
  },
  /** Places count from the first row. */
  rows: (node, inputs, outputs) => node.outputs.length < 2 && ofImages(node, inputs, outputs),
  layout: ({ outputs }) => ({ inputs: ["channelsLast"], outputs: outputs.map(() => "channelsLast") }),
  lower(unit, c) {
    const { node, inputs, outputs } = unit;
    const [x, y, found = ""] = [inputs[0]!, outputs[0]!, outputs[1]];
    const type = c.type(x);
    if (found === "") {
      const how = type.dtype === "f32" ? LARGEST : LARGEST_BYTE;
      return emitPool(unit, c, attributeWindow, channelwise, how, 0);
    }
    const w = attributeWindowIn(node, type);
    const volume = channelwise(node, w);
    const made = y === "" ? c.temporary(1) : c.output(y);
    const places = [made, c.output(found), c.input(x), volumeAt(c, volume), c.scratch(TAPS_BYTES)] as const;
    c.emit("maxPoolPlaces", [...places, numberOf(node, "storage_order", 0)], linesOf(volume, w.batch));
  },
};

/** AveragePool over one to three spatial dimensions. */
export const generalAveragePool: Op = {
  attributes: /* @__PURE__ */ windowAttributes.concat("count_include_pad"),
  infer: (node, inputs) => typesOf(node, floatType(node, inputs, 0), attributeWindow),
  rows: ofImages,
  layout: channelsLast,
  lower: (unit, c) => emitPool(unit, c, attributeWindow, meanVolume, MEAN, 0),
};

/** The p of a norm. */
function powerOf(node: Node): number {
  const p = numberOf(node, "p", 2);
  if (Number.isInteger(p) && p >= 1 && p <= 64) return p;
  throw opError(node, "p does not fit", { expected: "a whole number from 1 to 64", got: `${p}` });
}

// @__NO_SIDE_EFFECTS__
function normPooling(windowFor: WindowRule, attributes: readonly string[]): Op {
  return {
    attributes,
    infer(node, inputs) {
      powerOf(node);
      return typesOf(node, floatType(node, inputs, 0), windowFor);
    },
    rows: ofImages,
    layout: channelsLast,
    lower: (unit, c) => emitPool(unit, c, windowFor, channelwise, NORM, powerOf(unit.node)),
  };
}

/** (Σ |x|^p)^(1/p) over every window. ONNX LpPool-22. */
export const lpPool = normPooling(attributeWindow, /* @__PURE__ */ windowAttributes.concat("p"));
/** The same over whole images. ONNX GlobalLpPool-22. */
export const globalLpPool = normPooling(globalWindow, ["p"]);

/** What only octette has. */
const ofWindows: Traits = {
  codes: "none",
  homogeneous: (_, axis) => axis === 1,
  trained: undefined,
  gradient: "none",
  onnx: false,
};
/** Roots but the first and second are rounded otherwise under a factor. */
const ofNorms: Traits = {
  codes: "none",
  homogeneous: (node, axis) => axis === 1 && powerOf(node) < 3,
  trained: undefined,
  gradient: "none",
};

export {
  ofNorms as globalLpPoolTraits,
  ofNorms as lpPoolTraits,
  ofWindows as generalAveragePoolTraits,
  ofWindows as generalMaxPoolTraits,
};
