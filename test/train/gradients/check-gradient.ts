// What gradient rules are checked with: a graph that they write to, and central differences of an op in float64.

import { expect } from "vitest";
import { type DifferentiableOp, gradients } from "../../../build/groups/gradients";
import { Engine } from "../../../src/engine/wasm";
import type { Attribute, Graph, Input, Node, ValueType } from "../../../src/graph/graph";
import type { Shape } from "../../../src/graph/symbols";
import type { Tensor } from "../../../src/graph/tensor";
import type { Registry } from "../../../src/ops/infer";
import { outputTypes } from "../../../src/ops/infer";
import type { Unit } from "../../../src/ops/op";
import type { Backward } from "../../../src/train/gradients/rule";
import { train } from "../../../src/train/inlined";
import { training } from "../../../src/train/training";
import { exactSources } from "../../engine/engines";
import type { Real } from "../reference/forward";

/** Every op by its name, whatever that is. */
export const ops: Registry = training.ops;
export const trainingEngine = new Engine({ ...exactSources, train });

/** Relative to the largest element of a gradient. */
const TOLERANCE = 1e-4;
/** Step of the differences: their error is about its square. */
const STEP = 1e-5;

/** Builds a graph with the means to write a backward pass to it. */
export class GradientGraph implements Backward {
  readonly inputs: Input[] = [];
  readonly nodes: Node[] = [];
  readonly constants = new Map<string, Tensor>();
  readonly given = new Map<string, string>();
  readonly wanted = new Set<string>();
  private readonly types = new Map<string, ValueType>();
  private readonly written = new Set<string>();

  input(name: string, shape: Shape, dtype: Input["dtype"] = "f32"): string {
    this.inputs.push({ name, dtype, shape });
    this.types.set(name, { dtype, shape });
    return name;
  }

  add(node: Node): void {
    this.nodes.push(node);
    const typeOf = (value: string) => this.types.get(value) ?? this.constants.get(value);
    const types = outputTypes(node, ops[node.op]!, typeOf, ops);
    for (const [i, output] of node.outputs.entries()) this.types.set(output, types[i]!);
  }

  /** Rules know the types of what the forward pass has, not of what they write. */
  type(value: string): ValueType {
    if (this.written.has(value)) expect.fail(`"${value}" was written by a rule: its type is not known`);
    return this.typeOf(value);
  }

  private typeOf(value: string): ValueType {
    return this.types.get(value) ?? expect.fail(`"${value}" has no type`);
  }

  constant(value: string): Tensor | undefined {
    return this.constants.get(value);
  }

  quantized(codes: string): string {
    return this.nodes.find(({ outputs }) => outputs[0] === codes)!.inputs[0]!;
  }

  wants(value: string): boolean {
    return this.wanted.has(value);
  }

  write(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    count = 1,
  ): readonly [string, ...string[]] {
    const name = `backward_${this.nodes.length}`;
    const outputs = Array.from({ length: count }, (_, i) => `${name}_${i}`) as [string, ...string[]];
    this.add({ op, name, inputs, outputs, attributes });
    for (const output of outputs) this.written.add(output);
    return outputs;
  }

  data(value: Tensor): string {
    return this.hold(`data_${this.constants.size}`, value);
  }

  /** A constant. */
  hold(name: string, value: Tensor): string {
    this.constants.set(name, value);
    this.types.set(name, value);
    return name;
  }

  unmasked(): undefined {
    return undefined;
  }

  take(value: string): string | undefined {
    const known = this.given.get(value);
    this.given.delete(value);
    return known;
  }

  give(value: string, gradient: string): void {
    expect(this.typeOf(gradient), `gradient of "${value}"`).toEqual({
      dtype: "f32",
      shape: this.typeOf(value).shape,
    });
    const before = this.given.get(value);
    this.given.set(value, before === undefined ? gradient : this.write("Add", [before, gradient])[0]);
  }

  /** Writes the backward nodes of a unit, after those of the clamp that is fused into it. */
  differentiate(unit: Unit, dy: readonly (string | undefined)[]): void {
    const [first, ...rest] = dy;
    const { clamp, outputs } = unit;
    const unclamped =
      clamp && !unit.integer && first !== undefined
        ? this.write("ClipGradient", [first, outputs[0]!], clamp)[0]
        : first;
    gradients[unit.node.op as DifferentiableOp](unit, [unclamped, ...rest], this);
  }

  graph(outputs: readonly string[]): Graph {
    const { inputs, nodes, constants } = this;
    return { name: "gradient", inputs, outputs, nodes, constants, provenance: {} };
  }
}

/** The gradients of Σ dy·y by central differences: those of all elements of an input, or of some. */
export function differences(
  forward: (inputs: readonly (Real | undefined)[]) => readonly Real[],
  inputs: readonly (Real | undefined)[],
  dy: readonly (Float64Array | undefined)[],
  wanted: number,
  at?: readonly number[],
): Float64Array {
  const loss = () =>
    forward(inputs).reduce(
      (sum, { data }, i) => sum + (dy[i]?.reduce((s, d, j) => s + d * data[j]!, 0) ?? 0),
      0,
    );
  const { data } = inputs[wanted]!;
  return Float64Array.from(at ?? data.keys(), (i) => {
    const value = data[i]!;
    data[i] = value + STEP;
    const above = loss();
    data[i] = value - STEP;
    const below = loss();
    data[i] = value;
    return (above - below) / (2 * STEP);
  });
}

/** Compares relative to the largest element. */
export function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  expect(got.length, what).toBe(expected.length);
  const largest = Array.from(expected).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const bound = TOLERANCE * largest + 1e-9;
  for (let i = 0; i < got.length; i++)
    if (!(Math.abs(got[i]! - expected[i]!) <= bound))
      expect.fail(`${what}: [${i}] is ${got[i]} instead of ${expected[i]}, largest ${largest}`);
}
