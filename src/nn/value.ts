// What flows through a model's forward() while it is traced: names with types instead of numbers. Every layer writes its node;
// what was written is the graph.

import { OctetteError } from "../errors";
import type { Attribute, Graph, Node, ValueType } from "../graph/graph";
import { FreshNames } from "../graph/names";
import { formatShape, type Shape } from "../graph/symbols";
import type { Tensor } from "../graph/tensor";
import { registry } from "../ops/index";
import { opOf, outputTypes } from "../ops/infer";
import type { Module } from "./module";

/** A value of the forward pass, whose numbers are known only when the model runs. */
export class Value {
  /** @internal */
  readonly recording: Recording;
  /** @internal */
  readonly name: string;

  /** @internal */
  constructor(recording: Recording, name: string) {
    this.recording = recording;
    this.name = name;
  }

  /** Its dimensions, in PyTorch's order: numbers, or symbols such as "batch". */
  get shape(): Shape {
    return this.recording.typeOf(this).shape;
  }
}

const [INPUT, OUTPUT] = ["input", "output"];

/** A graph that is being written by forward(). One input, one output. */
export class Recording {
  readonly input: Value;
  readonly #paths: ReadonlyMap<Module, string>;
  readonly #nodes: Node[] = [];
  readonly #constants = new Map<string, Tensor>();
  readonly #types = new Map<string, ValueType>();
  readonly #names = new FreshNames([INPUT, OUTPUT]);

  /** Layers by their place in the model. Without a shape, the first layer that knows what it reads settles it. */
  constructor(paths: ReadonlyMap<Module, string>, shape: Shape | undefined) {
    this.#paths = paths;
    this.input = new Value(this, INPUT);
    if (shape) this.#types.set(INPUT, { dtype: "f32", shape });
  }

  typeOf({ name, recording }: Value): ValueType {
    if (recording !== this) throw foreign(name);
    const type = this.#types.get(name);
    if (type) return type;
    throw new OctetteError("the shape of the model's input is not known", {
      code: "argument",
      where: "trace",
      hint: 'Pass it, such as ["batch", 1, 28, 28]; only a model that begins with Linear or Embedding tells it by itself',
    });
  }

  /** A layer's place in the model, "" where it is the model. */
  pathOf(layer: Module): string {
    const path = this.#paths.get(layer);
    if (path !== undefined) return path;
    throw new OctetteError("a layer is not part of the model that uses it", {
      code: "argument",
      where: layer.constructor.name,
      hint: "Hold it in a property of its module, or in an array there; JavaScript's #private ones cannot be found",
    });
  }

  /** What a layer reads, told before it does: settles the type of an input where that was left open. */
  expect(x: Value, { dtype, shape }: ValueType): void {
    if (x !== this.input || this.#nodes.some(({ inputs }) => inputs.includes(INPUT))) return;
    this.#types.set(INPUT, { dtype, shape: this.#types.get(INPUT)?.shape ?? shape });
  }

  /** A number or array that nodes read; the same name is the same array. */
  constant(name: string, value: Tensor): string {
    this.#constants.set(name, value);
    this.#types.set(name, value);
    if (!this.#names.has(name)) this.#names.fresh(name);
    return name;
  }

  /** Writes a node and returns what it makes. Throws an OctetteError that names it where its inputs do not fit. */
  node(
    op: string,
    wanted: string,
    inputs: readonly (Value | string)[],
    attributes: Readonly<Record<string, Attribute>>,
  ): Value {
    const name = this.#names.fresh(wanted);
    for (const input of inputs) if (typeof input !== "string") this.typeOf(input);
    const names = inputs.map((input) => (typeof input === "string" ? input : input.name));
    const node = { op, name, inputs: names, outputs: [name], attributes };
    this.#types.set(
      name,
      outputTypes(node, opOf(registry, op, name), (value) => this.#types.get(value), registry)[0]!,
    );
    this.#nodes.push(node);
    return new Value(this, name);
  }

  graph(name: string, output: Value): Graph {
    if (output.recording !== this) throw foreign(output.name);
    if (this.#nodes.length === 0)
      throw new OctetteError("forward() computes nothing", { code: "argument", where: "trace" });
    const renamed = (value: string) => (value === output.name && output !== this.input ? OUTPUT : value);
    return {
      name,
      inputs: [{ name: INPUT, ...this.typeOf(this.input) }],
      outputs: [renamed(output.name)],
      nodes: this.#nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(renamed),
        outputs: node.outputs.map(renamed),
      })),
      constants: this.#constants,
      provenance: {},
    };
  }
}

const foreign = (name: string) =>
  new OctetteError(`"${name}" is a value of another forward pass`, { code: "argument", where: "trace" });

/** An error of a layer: where, what, expected, got. */
export const layerError = (where: string, what: string, facts: { expected?: string; got?: string }) =>
  new OctetteError(what, { code: "argument", where, ...facts });

/** Throws where a value has another rank than a layer reads. */
export function checkRank(where: string, { shape }: Value, rank: number, expected: string): void {
  if (shape.length !== rank)
    throw layerError(where, "its input does not fit", { expected, got: formatShape(shape) });
}
