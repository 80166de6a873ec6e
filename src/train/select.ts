// Which parameters move: all, biases, scales of frozen codes, the last layers, or those of a name.

import { OctetteError } from "../errors";
import { matcher } from "../quantize/options";
import type { Parameter } from "./prepare";

/**
 * `all` (default), `bias`, `scales` (weight codes stay as they are: only their scales and the biases move), `last:N` (the N layers nearest to the output), or a pattern of parameter names in which `*`
 * stands for any characters, such as `features.*.weight`.
 */
export type Trained = string;

/** The parameters asked for, and the biases that come along. */
export function select(parameters: readonly Parameter[], trained: Trained = "all"): Parameter[] {
  const chosen = withBiases(parameters, parameters.filter(testOf(parameters, trained)));
  if (chosen.length > 0) return chosen;
  throw new OctetteError("nothing would be trained", {
    code: "argument",
    where: "train",
    expected: "all, bias, scales, last:N, or a pattern that matches parameters",
    got: `"${trained}"; there are ${parameters
      .map(({ name }) => name)
      .slice(0, 8)
      .join(", ")}${parameters.length > 8 ? ", …" : ""}`,
  });
}

/** These, in their order: where weights move, the bias whose codes share their scales comes along. */
export function withBiases(parameters: readonly Parameter[], moved: readonly Parameter[]): Parameter[] {
  const chosen = new Set(moved);
  const biases = new Set(moved.flatMap(({ kind, coded }) => (kind === "weight" && coded?.bias) || []));
  return parameters.filter((parameter) => chosen.has(parameter) || biases.has(parameter.name));
}

function testOf(parameters: readonly Parameter[], trained: Trained): (parameter: Parameter) => boolean {
  if (trained === "all") return ({ kind }) => kind !== "scale";
  if (trained === "bias") return ({ kind }) => kind === "bias";
  if (trained === "scales") return ({ kind }) => kind !== "weight";
  const last = /^last:(\d+)$/.exec(trained);
  if (!last) {
    const matches = matcher(trained);
    return ({ name, kind }) => kind !== "scale" && matches(name);
  }
  const layers = [...new Set(parameters.map(({ index }) => index))].sort((a, b) => a - b);
  const from = layers[Math.max(0, layers.length - Number(last[1]))] ?? Infinity;
  return ({ index, kind }) => kind !== "scale" && index >= from;
}
