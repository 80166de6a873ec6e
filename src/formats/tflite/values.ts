// The graph that a TensorFlow Lite file becomes, while it is written. A tensor of four dimensions is there in TFLite's order
// [n, h, w, c], with its channels first [n, c, h, w], or both: what wants another order than there is gets a Transpose. In memory both
// are the same, images are channels-last there, so that the compiler makes no step of it. What is quantized is there as the real numbers
// that its codes stand for; a pass makes integer layers of that.

import { OctetteError } from "../../errors";
import { MAX_BODIES, MAX_DEPTH } from "../../graph/bodies";
import type { Attribute, Node, State } from "../../graph/graph";
import { FreshNames } from "../../graph/names";
import { sizeOf, type Tensor, tensor as tensorOf } from "../../graph/tensor";
import { checkQuantization, constantOf, elementTypeOf, kindOf } from "./elements";
import type { TfliteTensor } from "./schema";

/** `last`: the channels of four dimensions are the last, as TFLite has them; all other tensors, too. */
export type Order = "last" | "first";

/** Dimensions of a tensor that may have either order. */
export const IMAGE = 4;

const PERMS = { first: [0, 3, 1, 2], last: [0, 2, 3, 1] } as const;

/** Nodes that a file may become. */
export const MAX_FILE_NODES = 2 ** 17;

/** What stands for a tensor: real numbers, and the codes that these were read of. */
interface Held {
  readonly real: Map<Order, string>;
  readonly codes: Map<Order, string>;
}

/** Whether a tensor holds codes of 16 bits or fewer, which stand for real numbers. */
export const isCoded = (tensor: TfliteTensor): boolean =>
  tensor.quantization !== undefined && ["i8", "u8", "i4", "i16"].includes(kindOf(tensor) ?? "");

/** Whether codes are of 16 bits: they are computed with as floats, and are i32 where they are stored. */
const isWide = (tensor: TfliteTensor): boolean => kindOf(tensor) === "i16";
const WIDE = { min: -(2 ** 15), max: 2 ** 15 - 1 };

export class TensorValues {
  readonly nodes: Node[] = [];
  readonly constants: Map<string, Tensor> = new Map();
  readonly where: string;
  /** Names of variables by the tensors that stand for them. */
  readonly variables = new Map<number, string>();
  readonly #states = new Map<string, State>();
  /** Variables that a graph which another one runs is given: types, and names of inputs. */
  readonly given = new Map<string, readonly [type: TfliteTensor, input: string]>();
  /** What they are by now. */
  readonly #current = new Map<string, string>();
  readonly #names: FreshNames;
  readonly #held = new Map<number, Held>();
  /** Tensors that nodes or callers make. */
  readonly #computed = new Set<number>();

  /** Of all graphs of the file that are written so far. */
  readonly #all: { graphs: number; nodes: number };
  readonly #depth: number;

  /** Names are others than those of the graph `around` it. */
  constructor(where: string, around?: TensorValues) {
    this.where = where;
    this.#names = around ? around.#names : new FreshNames([]);
    this.#all = around ? around.#all : { graphs: 0, nodes: 0 };
    this.#depth = around ? around.#depth + 1 : 0;
  }

  /** Another graph of the file, which this one runs. */
  within(): TensorValues {
    const inner = new TensorValues(this.where, this);
    if (inner.#depth <= MAX_DEPTH && ++this.#all.graphs <= MAX_BODIES) return inner;
    throw new OctetteError("its graphs run too many others", {
      code: "limit",
      where: this.where,
      expected: `at most MAX_DEPTH = ${MAX_DEPTH} inside each other, and MAX_BODIES = ${MAX_BODIES} in all`,
    });
  }

  /** Takes the nodes of a graph that is part of this one. */
  take({ nodes, constants }: TensorValues): void {
    for (const node of nodes) this.nodes.push(node);
    for (const [name, constant] of constants) this.constants.set(name, constant);
  }

  fresh(wanted: string): string {
    return this.#names.fresh(wanted);
  }

  /** A constant; returns its name. */
  hold(wanted: string, constant: Tensor): string {
    const name = this.fresh(wanted);
    this.constants.set(name, constant);
    return name;
  }

  get states(): State[] {
    return [...this.#states.values()];
  }

  /** The state under a key of the file's, of a size that is known; of real numbers where it is quantized. */
  state(key: string, tensor: TfliteTensor): string {
    const { name, shape } = tensor;
    const known = this.#states.get(key);
    if (shape.includes(-1))
      throw new OctetteError(`tensor "${name}" is kept from run to run, and has an open size`, {
        code: "unsupported",
        where: this.where,
        got: `[${shape.join(", ")}]`,
      });
    const state = known ?? {
      name: this.fresh(`${key}_state`),
      dtype: tensor.quantization ? ("f32" as const) : elementTypeOf(tensor, this.where),
      shape,
    };
    this.#states.set(key, state);
    return state.name;
  }

  /** The value of a variable: of a state of the model, or what a graph is given and assigns. */
  read(key: string, type: TfliteTensor, wanted: string): string {
    if (this.#depth === 0) return this.add("ReadState", wanted, [this.state(key, type)]);
    const known = this.#current.get(key);
    if (known !== undefined) return known;
    const input = this.fresh(key);
    this.given.set(key, [type, input]);
    this.#current.set(key, input);
    return input;
  }

  assign(key: string, type: TfliteTensor, value: string, wanted: string): void {
    if (this.#depth === 0) this.add("WriteState", wanted, [value, this.state(key, type)]);
    else {
      this.read(key, type, wanted);
      this.#current.set(key, value);
    }
  }

  /** Adds a node of so many outputs; returns their names. */
  push(
    op: string,
    wanted: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    count = 1,
  ): string[] {
    if (++this.#all.nodes > MAX_FILE_NODES)
      throw new OctetteError("the graph has too many nodes", {
        code: "limit",
        where: this.where,
        expected: `at most MAX_FILE_NODES = ${MAX_FILE_NODES}, those that operators are written with included`,
      });
    const outputs = Array.from({ length: count }, () => this.fresh(wanted));
    this.nodes.push({ op, name: outputs[0]!, inputs, outputs, attributes });
    return outputs;
  }

  add(
    op: string,
    wanted: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
  ): string {
    return this.push(op, wanted, inputs, attributes)[0]!;
  }

  /** Whether a node or a caller makes a tensor. */
  isMade({ index }: TfliteTensor): boolean {
    return this.#computed.has(index);
  }

  /** Whether a tensor is no constant of the file. */
  isComputed({ index, data }: TfliteTensor): boolean {
    return data === undefined || this.#computed.has(index);
  }

  /** Whether a tensor is there in an order without a Transpose. */
  isIn({ index }: TfliteTensor, order: Order): boolean {
    return this.#held.get(index)?.real.has(order) ?? false;
  }

  /** Says that a value of the graph holds a tensor as the file stores it: codes where it is quantized. */
  setStored(tensor: TfliteTensor, value: string): void {
    this.#computed.add(tensor.index);
    if (!isCoded(tensor)) return this.#set(tensor, "last", value);
    const wanted = `${tensor.name}_real`;
    const parameters = this.#parameters(tensor);
    const real = isWide(tensor)
      ? this.add("Mul", wanted, [this.add("Cast", wanted, [value], { to: "f32" }), ...parameters])
      : this.add("DequantizeLinear", wanted, [value, ...parameters]);
    this.#set(tensor, "last", real, value);
  }

  /** Says that a value is a tensor, before it is rounded to the codes that this holds where it is quantized. */
  setReal(tensor: TfliteTensor, order: Order, value: string): void {
    this.#computed.add(tensor.index);
    if (!isCoded(tensor)) return this.#set(tensor, order, value);
    const [wanted, meant] = [`${tensor.name}_codes`, `${tensor.name}_real`];
    const parameters = this.#parameters(tensor);
    if (isWide(tensor)) {
      const rounded = this.add("Round", wanted, [this.add("Div", wanted, [value, ...parameters])]);
      const held = this.add("Clip", wanted, [rounded], WIDE);
      const stored = this.add("Cast", wanted, [held], { to: "i32" });
      return this.#set(tensor, order, this.add("Mul", meant, [held, ...parameters]), stored);
    }
    const codes = this.add("QuantizeLinear", wanted, [value, ...parameters]);
    const real = this.add("DequantizeLinear", meant, [codes, ...parameters]);
    this.#set(tensor, order, real, codes);
  }

  #set({ index, name }: TfliteTensor, order: Order, real: string, codes?: string): void {
    if (this.#held.has(index))
      throw new OctetteError(`tensor "${name}" is made twice`, { code: "graph", where: this.where });
    this.#held.set(index, {
      real: new Map([[order, real]]),
      codes: new Map(codes === undefined ? [] : [[order, codes]]),
    });
  }

  /** The value that is a tensor: real numbers where it is quantized. */
  real(tensor: TfliteTensor, order: Order = "last"): string {
    const held = this.#held.get(tensor.index) ?? this.#constant(tensor);
    return this.#in(held.real, order, tensor.name);
  }

  /** The value that is a tensor as the file stores it. */
  stored(tensor: TfliteTensor): string {
    const held = this.#held.get(tensor.index) ?? this.#constant(tensor);
    return this.#in(held.codes.size > 0 ? held.codes : held.real, "last", tensor.name);
  }

  #in(forms: Map<Order, string>, order: Order, wanted: string): string {
    const known = forms.get(order);
    if (known !== undefined) return known;
    const [other] = forms.values();
    const turned = this.add("Transpose", `${wanted}_${order}`, [other!], { perm: PERMS[order] });
    forms.set(order, turned);
    return turned;
  }

  #constant(tensor: TfliteTensor): Held {
    if (!tensor.data)
      throw new OctetteError(`tensor "${tensor.name}" is produced by no earlier operator`, {
        code: "graph",
        where: this.where,
      });
    this.setConstant(tensor, constantOf(tensor, this.where));
    return this.#held.get(tensor.index)!;
  }

  /** Says that a constant holds a tensor as the file stores it. */
  setConstant(tensor: TfliteTensor, constant: Tensor): void {
    const stored = this.hold(tensor.name, constant);
    if (!isCoded(tensor)) return this.#set(tensor, "last", stored);
    this.#set(tensor, "last", this.#meaning(tensor, stored), stored);
  }

  /** Weights as a matrix with a row for each index of their first axis, which their scales are along. */
  matrix(tensor: TfliteTensor): string {
    const constant = constantOf(tensor, this.where);
    const [rows = 1, ...rest] = constant.shape;
    const stored = this.hold(tensor.name, { ...constant, shape: [rows, sizeOf(rest)] });
    return isCoded(tensor) ? this.#meaning(tensor, stored) : stored;
  }

  /** What the codes of a constant stand for. */
  #meaning(tensor: TfliteTensor, stored: string): string {
    const { scale, axis } = tensor.quantization!;
    const attributes = scale.length > 1 ? { axis } : {};
    return this.add(
      "DequantizeLinear",
      `${tensor.name}_real`,
      [stored, ...this.#parameters(tensor)],
      attributes,
    );
  }

  /** Scale and zero point of a tensor, as constants: codes of 16 bits have none but 0. */
  #parameters(tensor: TfliteTensor): string[] {
    const { scale, zeroPoint } = tensor.quantization!;
    const dtype = elementTypeOf(tensor, this.where);
    checkQuantization(tensor, isWide(tensor) ? [0, 0] : dtype === "u8" ? [0, 255] : [-128, 127], this.where);
    const shape = scale.length > 1 ? [scale.length] : [];
    const scales = this.hold(`${tensor.name}_scale`, tensorOf("f32", shape, scale));
    if (isWide(tensor)) return [scales];
    return [scales, this.hold(`${tensor.name}_zero`, tensorOf(dtype, shape, zeroPoint))];
  }
}
