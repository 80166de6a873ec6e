// Builds one small ONNX model: values with their type and shape, parameters in every place that ONNX allows, nodes.

import type { Random } from "../../src/graph/random";
import {
  type FileGraph,
  type FileInput,
  type FileNode,
  onnxFile,
  type RawTensor,
} from "../formats/onnx/model-file";
import {
  count,
  type Elements,
  type ElementType,
  elementTypes,
  type Numbers,
  numbers,
  rawTensor,
} from "./elements";

export interface Value {
  readonly name: string;
  readonly type: ElementType;
  /** Of this case's feeds, with the batch in place of its symbol. */
  readonly shape: readonly number[];
  /** Whether it depends on nothing that is fed. */
  readonly isKnown: boolean;
}

/** One model with feeds: what both runtimes are given. */
export interface Case {
  readonly seed: number;
  readonly index: number;
  /** The operator, or "chain". */
  readonly group: string;
  readonly model: Uint8Array;
  readonly feeds: Readonly<Record<string, Elements>>;
  readonly opset: number;
  /** Rows of what is fed where the model's batch is a symbol; 0 where it is not. */
  readonly batch: number;
  /** In order; one output each at least, and all of them are outputs of the model. */
  readonly nodes: readonly FileNode[];
  readonly initializers: Readonly<Record<string, Elements>>;
  readonly inputs: readonly FileInput[];
  /** TensorProto.DataType of every computed value. */
  readonly types: readonly (readonly [string, number])[];
  /** Whether some value is f16 or bf16, which octette computes in f32 and does not round. */
  readonly isHalf: boolean;
}

const SYMBOL = "N";

export class Builder {
  readonly opset: number;
  /** Rows of a symbolic batch, 0 where every dimension is known. */
  readonly batch: number;
  /** Whether numbers may be NaN, infinite or at the ends of their type. */
  readonly wild: boolean;
  /** Whether the next node computes with constants only, as arithmetic over shapes does. */
  folds = false;
  readonly nodes: FileNode[] = [];
  readonly #feeds: Record<string, Elements> = {};
  readonly #initializers: Record<string, Elements> = {};
  readonly #inputs: FileInput[] = [];
  readonly #outputs: FileInput[] = [];
  readonly #types = new Map<string, number>();
  readonly #known = new Map<string, ElementType>();
  #names = 0;
  /** The last node's first output. */
  current: Value | undefined;

  constructor(readonly random: Random) {
    const opsets = [7, 8, 9, 10, 11, 12, 13, 13, 14, 15, 16, 17, 17, 18, 18, 19, 20, 21, 21, 22, 23, 24];
    this.opset = this.pick(opsets);
    this.batch = this.chance(0.4) ? this.pick([1, 2, 3, 4, 5, 7]) : 0;
    this.wild = this.chance(0.15);
  }

  chance(share: number): boolean {
    return this.random.uniform() < share;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.random.below(list.length)]!;
  }
  int(low: number, high: number): number {
    return low + this.random.below(high - low + 1);
  }
  name(stem: string): string {
    return `${stem}${this.#names++}`;
  }

  /** A shape; its first dimension is the batch where there is one. */
  shape(minRank = 0, maxRank = 5): number[] {
    const rank = this.int(minRank, Math.min(maxRank, this.chance(0.8) ? Math.max(minRank, 4) : 5));
    const shape = Array.from({ length: rank }, () => this.pick(this.chance(0.03) ? [0] : [1, 2, 3, 4, 5]));
    if (rank > 0 && this.batch > 0) shape[0] = this.batch;
    return shape;
  }

  elements(type: ElementType, shape: readonly number[], values?: Numbers): Elements {
    return { type, shape, values: values ?? numbers(this.random, type, count(shape), this.wild) };
  }

  /** A graph input, its first dimension the batch where that is a symbol and `rows` fit. */
  input(elements: Elements, symbolic = true): Value {
    const { type, shape } = elements;
    const name = this.name("x");
    const isBatch = symbolic && this.batch > 0 && shape.length > 0 && shape[0] === this.batch;
    this.#feeds[name] = elements;
    this.#inputs.push({
      name,
      type: elementTypes[type],
      shape: isBatch ? [SYMBOL, ...shape.slice(1)] : shape,
    });
    return { name, type, shape, isKnown: false };
  }

  constant(elements: Elements): Value {
    const name = this.name("c");
    const { type, shape } = elements;
    if (this.chance(0.15)) this.#push("Constant", [], [name], { value: rawTensor(elements) });
    else this.#initializers[name] = elements;
    return { name, type, shape, isKnown: true };
  }

  /** Data of a type: the last result where it fits, else a new input, sometimes a constant. */
  data(types: readonly ElementType[], minRank = 0, maxRank = 5, shape?: readonly number[]): Value {
    const { current } = this;
    const rank = current?.shape.length ?? -1;
    const fits =
      current &&
      types.includes(current.type) &&
      (!this.folds || current.isKnown) &&
      rank >= minRank &&
      rank <= maxRank &&
      (!shape || `${shape}` === `${current.shape}`);
    if (fits && this.chance(0.9)) return current;
    const type = this.pick(
      types.includes("f32") && this.chance(this.folds ? 0.2 : 0.6) ? ["f32" as const] : types,
    );
    return this.operand(this.elements(type, shape ?? this.shape(minRank, maxRank)), 0.05);
  }

  /** A parameter that is nearly always a constant: scales, zero points. */
  fixed(type: ElementType, shape: readonly number[], values: Numbers): Value {
    return this.chance(0.95)
      ? this.constant(this.elements(type, shape, values))
      : this.parameter(type, shape, values);
  }

  /** Elements as a constant, always where a node folds, else with a probability; or as an input. */
  operand(elements: Elements, share: number): Value {
    return this.folds || this.chance(share) ? this.constant(elements) : this.input(elements);
  }

  /**
   * A parameter: mostly a constant, now and then fed, computed from something fed, or an initializer that is listed among the
   * inputs, too.
   */
  parameter(type: ElementType, shape: readonly number[], values?: Numbers): Value {
    const elements = this.elements(type, shape, values);
    const place = this.folds ? 0 : this.random.uniform();
    if (place < 0.72) return this.constant(elements);
    if (place < 0.84) return this.input(elements, false);
    if (place < 0.92) {
      const inner = this.chance(0.5) ? this.constant(elements) : this.input(elements, false);
      const name = this.name("p");
      this.#push("Identity", [inner.name], [name]);
      this.#types.set(name, elementTypes[type]);
      return { name, type, shape, isKnown: inner.isKnown };
    }
    if (place < 0.97) {
      // Elements from the middle of something longer, which folding may or may not see through.
      const name = this.name("p");
      const source = this.input({ ...elements, shape: [1, ...shape] }, false);
      const target = this.constant(this.elements("i64", [shape.length], shape));
      if (count(shape) === 0) return this.constant(elements);
      this.#push("Reshape", [source.name, target.name], [name]);
      this.#types.set(name, elementTypes[type]);
      return { name, type, shape, isKnown: false };
    }
    const value = this.constant(elements);
    if (value.name in this.#initializers)
      this.#inputs.push({ name: value.name, type: elementTypes[type], shape });
    return value;
  }

  #push(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: FileNode["attributes"] = {},
  ): void {
    const name = this.chance(0.1) ? "" : this.name("n");
    this.nodes.push({ op, inputs, outputs, name, attributes });
  }

  /** A node of which every output is the model's, too; undefined inputs are left out. */
  node(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: FileNode["attributes"],
    ...outputs: readonly (readonly [ElementType, readonly number[] | undefined])[]
  ): void {
    const names = inputs.map((value) => value?.name ?? "");
    while (names.length > 0 && names.at(-1) === "") names.pop();
    const results = outputs.map(([type, shape]) => ({ name: this.name("y"), type, shape }));
    this.#push(
      op,
      names,
      results.map(({ name }) => name),
      attributes,
    );
    for (const { name, type } of results) {
      this.#outputs.push({ name, type: elementTypes[type] });
      this.#types.set(name, elementTypes[type]);
    }
    const [first] = results;
    const isKnown = op === "Shape" || op === "Size" || inputs.every((value) => !value || value.isKnown);
    this.current = first?.shape && { ...first, shape: first.shape, isKnown };
    if (isKnown) for (const { name } of results) this.#known.set(name, first!.type);
  }

  typeNumber(type: ElementType): number {
    return elementTypes[type];
  }

  /** A value that a graph of a node is given. */
  local(type: ElementType, shape: readonly number[]): Value {
    return { name: this.name("l"), type, shape, isKnown: false };
  }

  /** A graph of a node: the nodes that `make` adds, which may read what is around it. `make` gives its results. */
  body(inputs: readonly Value[], make: () => readonly Value[]): FileGraph {
    const { current } = this;
    const around = [this.nodes, this.#outputs].map((list) => list.splice(0));
    const known = new Map(this.#known);
    const results = make().map((value): Value => {
      if (this.nodes.some(({ outputs }) => outputs?.includes(value.name))) return value;
      this.node("Identity", [value], {}, [value.type, value.shape]);
      return this.current!;
    });
    const nodes = this.nodes.splice(0);
    this.nodes.push(...(around[0] as FileNode[]));
    this.#outputs.splice(0, Number.POSITIVE_INFINITY, ...(around[1] as FileInput[]));
    this.#known.clear();
    for (const [name, type] of known) this.#known.set(name, type);
    this.current = current;
    const typed = ({ name, type, shape }: Value): FileInput => ({
      name,
      type: elementTypes[type],
      ...(this.chance(0.3) ? { shape } : {}),
    });
    return {
      nodes,
      inputs: inputs.map(typed),
      outputs: results.map(({ name, type }) => ({ name, type: elementTypes[type] })),
    };
  }

  /** Adds something fed to what is computed of constants only, which no model has for an output. */
  #anchor(): void {
    const read = new Set(this.nodes.flatMap(({ inputs = [] }) => inputs));
    for (const [name, type] of [...this.#known]) {
      if (read.has(name) || this.chance(0.05)) continue;
      const value = { name, type, shape: [], isKnown: true };
      if (type !== "f32") this.node("Cast", [value], { to: elementTypes.f32 }, ["f32", []]);
      const real = type === "f32" ? value : this.current!;
      this.node("Add", [real, this.input(this.elements("f32", [1], [0.5]), false)], {}, ["f32", undefined]);
    }
  }

  /** The model; its outputs are all results, or those that nothing reads, so that passes may join what is between. */
  finish(seed: number, index: number, group: string): Case {
    this.#anchor();
    const { nodes, opset, batch } = this;
    const read = new Set(nodes.flatMap(({ inputs = [] }) => inputs));
    const isOpen = this.chance(0.4);
    const outputs = this.#outputs.filter(
      ({ name }) => (isOpen || !read.has(name)) && (!this.#known.has(name) || this.chance(0.02)),
    );
    const inputs = this.#inputs;
    const initializers = this.#initializers;
    const types = [...this.#types];
    const fed = [...Object.values(this.#feeds), ...Object.values(initializers)].map(
      ({ type }) => elementTypes[type],
    );
    const half: readonly number[] = [elementTypes.f16, elementTypes.bf16];
    const isHalf = [...fed, ...types.map(([, type]) => type)].some((type) => half.includes(type));
    const raw: Record<string, RawTensor> = {};
    for (const [name, elements] of Object.entries(initializers)) raw[name] = rawTensor(elements);
    const model = onnxFile({ opset, nodes, inputs, outputs, initializers: raw });
    return {
      seed,
      index,
      group,
      model,
      feeds: this.#feeds,
      opset,
      batch,
      nodes,
      initializers,
      inputs,
      types,
      isHalf,
    };
  }
}
