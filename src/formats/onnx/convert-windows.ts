// Windows of signals, sums of cosines, which are written with other operators.

import type { Attribute, Node } from "../../graph/graph";
import type { Conversion, Source } from "./source";

const { PI } = Math;

/** a₀ − a₁·cos(2πi/n) + a₂·cos(4πi/n) for i below the size; n is the size, or one less where the window is symmetric. */
function windowOf(source: Source, [constant, first, second]: readonly number[]): readonly Node[] {
  const [size = ""] = source.inputs;
  const isPeriodic = source.int("periodic", 1) !== 0;
  const dtype = source.dtype("output_datatype") ?? "f32";
  if (dtype !== "f32") throw source.error("its elements are no floats", { expected: "float", got: dtype });
  const nodes: Node[] = [];
  const add = (
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ) => {
    const output = source.fresh(`${source.name}_${op.toLowerCase()}`);
    nodes.push({ op, name: output, inputs, outputs: [output], attributes });
    return output;
  };
  const number = (value: number) => add("ConstantOfShape", [], { shape: [], dtype: "f32", value });
  const count = add("Cast", [size], { to: "f32" });
  const one = number(1);
  const places = add("Range", [number(0), count, one]);
  const turns = add("Div", [places, isPeriodic ? count : add("Sub", [count, one])]);
  const wave = (times: number, factor: number) =>
    add("Mul", [add("Cos", [add("Mul", [turns, number(2 * PI * times)])]), number(factor)]);
  const falling = [number(constant!), wave(1, first!)];
  if (second === undefined) return [...nodes, source.node({}, { op: "Sub", inputs: falling })];
  const inputs = [add("Sub", falling), wave(2, second)];
  return [...nodes, source.node({}, { op: "Add", inputs })];
}

export const hannWindow: Conversion = (source) => windowOf(source, [0.5, 0.5]);
export const hammingWindow: Conversion = (source) => windowOf(source, [25 / 46, 21 / 46]);
export const blackmanWindow: Conversion = (source) => windowOf(source, [0.42, 0.5, 0.08]);
