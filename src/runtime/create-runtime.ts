// A runtime of a user's choice of ops and wasm. In a file of its own: what it imports later stays out of scripts that are
// put together from pieces (bundle/).

import { importRunSizes } from "../engine/run-sizes/import";
import type { Carried } from "../engine/wasm";
import type { Registry } from "../ops/infer";
import { type Runtime, runtimeOf } from "./runtime";

/**
 * A runtime of these ops, by their ONNX names, and of this wasm. A bundler leaves out what it is not given:
 * `createRuntime({ Conv, Relu, QuantizeLinear, DequantizeLinear }, { common, baseline })`. Ops beyond the core call kernels of
 * their group, whose module stands beside: `{ common, baseline, math }`. For models whose sizes only a run knows, such as images of any
 * size, `load` imports a further script.
 */
// @__NO_SIDE_EFFECTS__
export const createRuntime = (ops: Registry, wasm: Carried): Runtime =>
  runtimeOf({ ops, wasm, loadSizes: importRunSizes });
