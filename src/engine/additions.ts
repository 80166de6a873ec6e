// Residual additions, done in the last step of the layer that makes one of their operands: two layers in one step, the same bytes.

import type { ValueType } from "../graph/graph";
import { formatShape } from "../graph/symbols";
import { sameCodes } from "../ops/codes";
import { opOf, type Registry } from "../ops/infer";
import type { Quantization, Unit } from "../ops/op";

/**
 * Units in which a layer does the Add behind it, where that alone reads the layer's codes (`kept` are read after a run) and
 * its other operand is there before them.
 */
export function fuseAdditions(
  units: readonly Unit[],
  registry: Registry,
  types: ReadonlyMap<string, ValueType>,
  kept: ReadonlySet<string>,
): readonly Unit[] {
  const makers = new Map(units.flatMap(({ outputs }, i) => outputs.map((output) => [output, i] as const)));
  const readings = new Map<string, number>();
  for (const input of units.flatMap(({ inputs }) => inputs))
    readings.set(input, (readings.get(input) ?? 0) + 1);
  const isAlone = (codes: string) => readings.get(codes) === 1 && !kept.has(codes);
  const isOneShape = ({ inputs, outputs }: Unit) =>
    new Set([...inputs, ...outputs].map((value) => formatShape(types.get(value)!.shape))).size === 1;
  const fused: (Unit | undefined)[] = [...units];
  for (const [i, add] of units.entries()) {
    if (!add.integer || !opOf(registry, add.node.op, add.node.name).adds) continue;
    const made = add.inputs.map((input) => makers.get(input) ?? -1);
    const at = Math.max(...made);
    const own = made.indexOf(at);
    const layer = fused[at];
    if (!layer || !opOf(registry, layer.node.op, layer.node.name).fusesAdd?.(layer.node)) continue;
    if (!isAlone(add.inputs[own]!) || !isOneShape(add) || !canAdd(layer, add, own)) continue;
    fused[at] = withAddition(layer, add, 1 - own);
    fused[i] = undefined;
  }
  return fused.filter((unit) => unit !== undefined);
}

/** Whether the addition reads codes as the layer makes them, and its sums are some that kernels round without a bound. */
function canAdd({ integer: layer }: Unit, { integer: add }: Unit, own: number): boolean {
  const all = [layer?.output, add!.inputs[own], add!.inputs[1 - own], add!.output];
  if (!all.every((q): q is Quantization => q?.scale.length === 1 && q.dtype !== "i32")) return false;
  const [made, a, b, y] = all as [Quantization, Quantization, Quantization, Quantization];
  return sameCodes(made, a) && 255 * (a.scale[0]! + b.scale[0]!) < 2 ** 21 * y.scale[0]!;
}

/** A layer with what the addition reads beside its codes as a fourth input; f32 sums are the same in either order. */
function withAddition(layer: Unit, { inputs, outputs, integer, clamp }: Unit, other: number): Unit {
  const [x, w, b = ""] = layer.inputs as [string, string, string?];
  const [xq, wq, bq] = layer.integer!.inputs;
  return {
    ...layer,
    inputs: [x, w, b, inputs[other]!],
    outputs,
    integer: { ...layer.integer!, inputs: [xq, wq, bq, integer!.inputs[other]] },
    sum: { output: integer!.output!, ...(clamp ? { clamp } : {}) },
  };
}
