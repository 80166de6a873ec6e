// Checks a gradient rule: writes the backward nodes of one op, runs them through the compiler and compares with central
// differences of the op in float64.

import { expect } from "vitest";
import { Model } from "../../../src/engine/model";
import { unitsOf } from "../../../src/engine/units";
import { Engine } from "../../../src/engine/wasm";
import type { Attribute, Graph, Input, Node, ValueType } from "../../../src/graph/graph";
import type { Shape } from "../../../src/graph/symbols";
import { sizeOf, type Tensor, tensor } from "../../../src/graph/tensor";
import type { Registry } from "../../../src/ops/infer";
import { inferTypes, outputTypes } from "../../../src/ops/infer";
import type { Unit } from "../../../src/ops/op";
import { type DifferentiableOp, gradients } from "../../../src/train/gradients/index";
import type { Backward } from "../../../src/train/gradients/rule";
import { train } from "../../../src/train/inlined";
import { trainingRegistry } from "../../../src/train/registry";
import { exactSources } from "../../engine/engines";
import { randomOf } from "../../graph-builder";
import { forwards, type Real } from "../reference/forward";

/** Every op by its name, whatever that is. */
export const ops: Registry = trainingRegistry;
export const trainingEngine = new Engine({ ...exactSources, train });

/** How a value lies in memory when the op meets it; `flat` is a channels-last image seen as a matrix. */
export type Lies = "plain" | "channelsLast" | "flat";

export interface GradientCase {
  readonly op: DifferentiableOp;
  readonly attributes?: Node["attributes"];
  /** A shape of random numbers that are trained, or a tensor that is fed as it is. */
  readonly inputs: readonly (readonly number[] | Tensor)[];
  /** Range of the random numbers. */
  readonly from?: readonly [number, number];
  readonly outputs?: number;
  /** Layout of every input, and of the gradients of the outputs. */
  readonly lies?: Lies;
  readonly dyLies?: Lies;
  /** The first dimension is a symbol of the graph, and a run fewer than the model was made for. */
  readonly batched?: true;
  /** Fused behind the op. */
  readonly activation?: "Relu" | "Clip";
  /** Inputs whose gradient is wanted; all that are trained where it is left out. */
  readonly wanted?: readonly number[];
  /** Outputs that something depends on. */
  readonly used?: readonly number[];
}

/** Bounds of a fused Clip. */
const BOUNDS = { min: -0.3, max: 0.6 };
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
    const types = outputTypes(node, ops[node.op]!, typeOf);
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

/** Adds an input that lies so: a pooling of single pixels makes an image channels-last. */
function placed(g: GradientGraph, name: string, shape: Shape, lies: Lies): string {
  if (lies === "plain") return g.input(name, shape);
  const image = lies === "channelsLast" ? shape : [shape[0]!, 3, (shape[1] as number) / 3, 1];
  g.input(name, image);
  const [pooled, flat] = [`${name}_pooled`, `${name}_flat`];
  const kernel = image.slice(2).map(() => 1);
  const node = (op: string, from: string, to: string, attributes: Node["attributes"]) =>
    g.add({ op, name: to, inputs: [from], outputs: [to], attributes });
  node("MaxPool", name, pooled, { kernel_shape: kernel });
  if (lies === "channelsLast") return pooled;
  node("Flatten", pooled, flat, {});
  return flat;
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

/** Runs the backward nodes that the rule writes, and compares with central differences. */
export function checkGradient(one: GradientCase, seed = 1): void {
  const { op, attributes = {}, from = [-1, 1], outputs: count = 1, lies = "plain", dyLies = "plain" } = one;
  const { between } = randomOf(seed);
  const fill = (shape: readonly number[], [lo, hi]: readonly [number, number]) =>
    tensor(
      "f32",
      shape,
      Array.from({ length: sizeOf(shape) }, () => between(lo, hi)),
    );
  const g = new GradientGraph();
  const symbolic = (shape: readonly number[]): Shape => (one.batched ? ["batch", ...shape.slice(1)] : shape);
  const fed = one.inputs.map((input) => ("dtype" in input ? input : fill(input, from)));
  const values = fed.map(({ shape, dtype }, i) =>
    dtype === "f32" ? placed(g, `x${i}`, symbolic(shape), lies) : g.input(`x${i}`, symbolic(shape), dtype),
  );
  const trained = values.flatMap((_, i) => ("dtype" in one.inputs[i]! ? [] : [i]));
  const wanted = one.wanted ?? trained;
  for (const i of wanted) g.wanted.add(values[i]!);

  const results = Array.from({ length: count }, (_, i) => `y${i}`);
  const node: Node = { op, name: "op", inputs: values, outputs: results, attributes };
  g.add(node);
  const bounds = one.activation === "Clip" ? BOUNDS : {};
  const fused = one.activation && { op: one.activation, name: "clamp", inputs: ["y0"], outputs: ["z"] };
  if (fused) g.add({ ...fused, attributes: bounds });

  const reals = fed.map(({ shape, data }): Real => ({ shape, data: Float64Array.from(data) }));
  const forward = (inputs: readonly (Real | undefined)[]) => {
    const ys = forwards[op]!(node, inputs);
    return fused ? forwards[fused.op]!({ ...fused, attributes: bounds }, ys) : ys;
  };
  const shapes = forward(reals).map(({ shape }) => shape);
  const used = one.used ?? results.map((_, i) => i);
  const dys = results.map((_, i) => (used.includes(i) ? fill(shapes[i]!, [-1, 1]) : undefined));
  const gradientNames = dys.map(
    (dy, i) => dy && placed(g, `dy${i}`, g.type(fused ? "z" : results[i]!).shape, dyLies),
  );

  const own = g.graph(fused ? ["z"] : results);
  const units = unitsOf(own, ops, inferTypes(own, ops), new Set());
  const unit = units.find((candidate) => candidate.node === node)!;
  expect(unit.clamp === undefined, "nothing is fused").toBe(fused === undefined);
  g.differentiate(unit, gradientNames);

  const names = wanted.map((i) => g.given.get(values[i]!) ?? expect.fail(`x${i} was given no gradient`));
  expect(g.given.size, "inputs that were given a gradient").toBe(new Set(wanted.map((i) => values[i])).size);
  const feeds = Object.fromEntries([
    ...fed.map((x, i) => [`x${i}`, x.data] as const),
    ...dys.flatMap((dy, i) => (dy ? [[`dy${i}`, dy.data] as const] : [])),
  ]);
  const maxima = one.batched ? { batch: 2 + fed[0]!.shape[0]! } : {};
  const model = new Model(g.graph(names), ops, trainingEngine, { maxima });
  const gradientsFound = model.runSync(feeds);
  model.dispose();
  const dy64 = dys.map((dy) => dy && Float64Array.from(dy.data));
  wanted.forEach((i, at) => {
    const expected = differences(forward, reals, dy64, i);
    expectClose(gradientsFound[names[at]!]!.data, expected, `${op}, gradient of input ${i}`);
  });
}
