// A graph that grows node by node, over floats or codes: a node that does not fit is thrown away before it is added.

import type { ValueType } from "../../src/graph/graph";
import type { Shape } from "../../src/graph/symbols";
import type { Tensor } from "../../src/graph/tensor";
import { registry } from "../../src/ops/index";
import type { Op } from "../../src/ops/op";
import { type Attributes, type Coded, GraphBuilder } from "../graph-builder";

export interface Value extends ValueType {
  readonly name: string;
}

/** A constant operand: weights become codes in an integer region, a bias int32. */
export interface Constant {
  readonly kind: "weights" | "bias" | "plain";
  readonly shape: readonly number[];
  /** Axis of the scales of weights. */
  readonly axis?: number;
}

/** One node that might fit. */
export interface Candidate {
  readonly inputs: readonly (Value | Constant)[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
}

/** Codes of an activation, and the value that they stand for. */
interface Activation extends Coded {
  readonly shape: Shape;
}

const isValue = (input: Value | Constant): input is Value => "name" in input;
/** Ops that give their input's codes another place. */
const MOVING: ReadonlySet<string> = new Set(
  "Dropout Flatten GlobalMaxPool Identity MaxPool Pad Reshape Resize Slice Squeeze Transpose Unsqueeze".split(
    " ",
  ),
);
const LAYERS: ReadonlySet<string> = new Set(["Conv", "Linear"]);

/** No value is such that the node could be. */
export class Misfit extends Error {}

/** A graph that grows node by node. */
export class Growing extends GraphBuilder {
  readonly values: Value[] = [];
  readonly #inputs = new Set<string>();
  readonly #codes = new Map<string, Activation>();
  #count = 0;

  get computed(): readonly Value[] {
    return this.values.filter(({ name }) => !this.#inputs.has(name));
  }

  /** A whole number lo … hi. */
  whole(lo: number, hi: number): number {
    return lo + this.random.below(hi - lo + 1);
  }

  chance(share: number): boolean {
    return this.random.between(0, 1) < share;
  }

  one<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Misfit();
    return list[this.random.below(list.length)]!;
  }

  /** In place. */
  shuffle<T>(list: T[]): T[] {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.random.below(i + 1);
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  }

  /** A value, one of the last rather than one of the first. */
  value(fits: (value: Value) => boolean = () => true, dtype = "f32"): Value {
    const all = this.values.filter((value) => value.dtype === dtype && fits(value));
    return this.one(this.chance(0.5) ? all.slice(-2) : all);
  }

  feed(shape: Shape, dtype: "f32" | "i32" = "f32"): Value {
    const name = this.input(`x${this.#count++}`, shape, dtype);
    this.#inputs.add(name);
    const value = { name, dtype, shape } as const;
    this.values.push(value);
    return value;
  }

  numbers(value: Tensor): Value {
    const name = this.constant(`c${this.#count++}`, value);
    return { ...value, name };
  }

  /** Adds a node, over codes where `isInteger`; returns its outputs. Throws where it does not fit. */
  add(op: keyof typeof registry, candidate: Candidate, isInteger = false): readonly Value[] {
    const rules: Op = registry[op];
    const { inputs, attributes = {}, outputs = 1 } = candidate;
    const names = Array.from({ length: outputs }, () => `v${this.#count++}`);
    const types = inputs.map((input): ValueType => ({ dtype: "f32", ...input }));
    const node = { op, name: names[0]!, inputs: names.slice(0, 0), outputs: names, attributes };
    const inferred = rules.infer({ ...node, inputs: inputs.map((_, i) => `${i}`) }, types);
    const made = isInteger ? this.#layer(op, candidate, names[0]!, inferred[0]!.shape) : undefined;
    if (!made)
      this.multiple(
        op,
        inputs.map((input) => this.#plain(input)),
        names,
        attributes,
      );
    const values = names.flatMap((name, i) => (inferred[i] ? [{ ...inferred[i], name: made ?? name }] : []));
    this.values.push(...values);
    return values;
  }

  #plain(input: Value | Constant): string {
    return isValue(input) ? input.name : this.floats(`w${this.#count++}`, input.shape, 1);
  }

  /** The codes of a value, which it has once. */
  code({ name, shape }: Value): Activation {
    const known = this.#codes.get(name);
    if (known) return known;
    const made = { ...this.quantize(name, this.range(this.chance(0.5) ? "u8" : "i8")), shape };
    this.#codes.set(name, made);
    return made;
  }

  /** One range a row of codes, or one in all. */
  #dynamic({ name }: Value): Coded {
    const [codes, scale, zeroPoint] = [0, 1, 2].map(() => `v${this.#count++}`) as [string, string, string];
    const isByRow = this.chance(0.7);
    this.multiple("DynamicQuantize", [name], [codes, scale, zeroPoint], isByRow ? { axis: -1 } : {});
    return { codes, scale, zeroPoint, ...(isByRow ? { axis: -1 } : {}) };
  }

  /** An integer layer; the value it makes. */
  #layer(op: string, { inputs, attributes = {} }: Candidate, output: string, shape: Shape): string {
    const [first] = inputs as [Value];
    const isDynamic = LAYERS.has(op) && this.chance(0.4);
    const x = isDynamic ? this.#dynamic(first) : this.code(first);
    let w: Coded | undefined;
    const operands = inputs.map((input, i) => {
      if (i === 0) return x;
      if (isValue(input)) return this.code(input);
      if (input.kind === "plain") throw new Misfit();
      if (input.kind === "bias")
        return isDynamic ? this.#plain(input) : this.bias(`b${this.#count++}`, w!, 8);
      w = this.weights(`w${this.#count++}`, input.shape, 0);
      return w;
    });
    const activation = this.chance(0.2) && (LAYERS.has(op) || op === "Add") ? "Relu" : undefined;
    const range = isDynamic ? undefined : MOVING.has(op) ? x.range! : this.range();
    const coded = this.layer(op, operands, output, { attributes, activation, range });
    if (!range) return coded.codes;
    const real = this.dequantize(coded, `${output}_real`);
    this.#codes.set(real, { ...coded, shape });
    return real;
  }
}
