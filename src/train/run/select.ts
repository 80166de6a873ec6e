// Which parameters move: all, biases, scales of frozen codes, the last layers, or those of a name.

import { matcher, noMatch } from "../../quantize/options";
import type { Parameter } from "../step/prepare";

/**
 * `all` (default), `bias`, `scales` (weight codes stay as they are: only their scales and the biases move), `last:N` (the N layers nearest to the output), or a pattern of parameter names in which `*`
 * stands for any characters, such as `features.*.weight`.
 */
export type Trained = string;

/** The parameters asked for, and those that come along. */
export function select(parameters: readonly Parameter[], trained: Trained = "all"): Parameter[] {
  const chosen = withCompanions(parameters, parameters.filter(testOf(parameters, trained)));
  if (chosen.length > 0) return chosen;
  const names = parameters.map(({ name }) => name);
  throw noMatch("train", trained, names, "It may be all, bias, scales or last:N, too");
}

/** These, in their order: where weights move, the bias whose codes share their scales comes along, and those if learned. */
export function withCompanions(parameters: readonly Parameter[], moved: readonly Parameter[]): Parameter[] {
  const weights = moved.filter(({ kind }) => kind === "weight");
  const chosen = new Set<Parameter>(moved);
  const biases = new Set(weights.map(({ coded }) => coded?.bias));
  const codes = new Set(weights.map(({ coded }) => coded?.codes));
  for (const parameter of parameters) {
    const isStep = parameter.kind === "step" && codes.has(parameter.coded!.codes);
    if (isStep || biases.has(parameter.name)) chosen.add(parameter);
  }
  return parameters.filter((parameter) => chosen.has(parameter));
}

function testOf(parameters: readonly Parameter[], trained: Trained): (parameter: Parameter) => boolean {
  const isOwn = ({ kind }: Parameter) => kind === "weight" || kind === "bias";
  if (trained === "all") return isOwn;
  if (trained === "bias") return ({ kind }) => kind === "bias";
  if (trained === "scales") return ({ kind }) => kind === "scale" || kind === "bias";
  const last = /^last:(\d+)$/.exec(trained);
  if (!last) {
    const matches = matcher(trained);
    return (parameter) => isOwn(parameter) && matches(parameter.name);
  }
  const layers = [...new Set(parameters.map(({ index }) => index))].sort((a, b) => a - b);
  const from = layers[Math.max(0, layers.length - Number(last[1]))] ?? Infinity;
  return (parameter) => isOwn(parameter) && parameter.index >= from;
}
