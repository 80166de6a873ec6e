// What the ops write to while a graph is compiled: buffers with lifetimes, load groups, steps. The file is long because it implements
// one interface, `Lowering` of ops/lowering.ts.

import { OctetteError } from "../errors";
import type { Graph, Node, ValueType } from "../graph/graph";
import { countOf, type Dim, divideDims, formatShape, isNatural, multiplyDims } from "../graph/symbols";
import { bytesPerElement, type Constant, sizeOf } from "../graph/tensor";
import { opOf, type Registry } from "../ops/infer";
import { flatChannels } from "../ops/layout";
import {
  type Address,
  type Buffer,
  behind,
  type Content,
  type KernelName,
  type Layout,
  type LoadArguments,
  type Lowering,
  type NamedConstant,
  type Size,
  type StepArguments,
  type Unit,
} from "../ops/op";
import type { CompileOptions } from "./compile";
import { align, checkTotal } from "./memory";
import type { Need, NeedKind, PlanEntry, Content as Planned, Step } from "./plan";

/** The time before a run in which a plan's own constants are loaded. */
export const WHILE_LOADING = -2;

/** A unit to lower, or a value to bring into another layout. */
export type Task = Unit | { readonly from: string; readonly to: string };

/** A step whose addresses and sizes are not known yet. */
interface PendingStep extends Omit<Step, "args" | "bytes"> {
  readonly kernel: KernelName;
  readonly args: readonly (Address | Dim)[];
  /** What it touches, scratch aside. */
  readonly touched: readonly Buffer[];
}

export interface PendingLoad {
  readonly copies: (Planned & { readonly to: Address })[];
  readonly calls: {
    readonly kernel: KernelName;
    readonly args: readonly (Address | Dim)[];
    readonly expected?: string | undefined;
  }[];
  staged: number;
}

export interface LoweringInput {
  readonly graph: Graph<Constant>;
  readonly registry: Registry;
  readonly types: ReadonlyMap<string, ValueType>;
  readonly layouts: ReadonlyMap<string, Layout>;
  /** A symbol that is never more than 1. */
  readonly one: string | undefined;
  readonly hasMore: CompileOptions["hasMore"];
  /** Values that are read after a run. */
  readonly kept: readonly string[];
  /** Constants that steps write to. */
  readonly state: ReadonlySet<string>;
}

/** Steps, and buffers, that a plan may have: far beyond any model for a device, and compiled in seconds. */
export const MAX_PLANNED = 2 ** 14;

const STAGING: Buffer = { area: "staging", bytes: 0, first: 0, last: 0 };

export class LoweringContext implements Lowering {
  readonly buffers: Buffer[] = [];
  readonly steps: PendingStep[] = [];
  readonly loads: PendingLoad[] = [];
  readonly needed: Need[] = [];
  /** Where the host acts, and on what. */
  readonly pauses: {
    readonly node: Node;
    readonly at: number;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
  }[] = [];
  /** Those of states, in their order. */
  readonly stateBuffers: Buffer[] = [];
  /** Those of the buffers that are scratch. */
  readonly scratches = new Set<Buffer>();
  /** What the largest load group stages. */
  stagingBytes = 0;
  readonly #in: LoweringInput;
  readonly #places = new Map<string, Address>();
  /** Index of the last task that reads any value of a buffer. */
  readonly #lastUse = new Map<Buffer, number>();
  /** Index of the last task that reads a value; infinite for those that are kept. */
  readonly #lastRead = new Map<string, number>();
  /** What units share, by its key. */
  readonly #made = new Map<string, unknown>();
  /** Dimensions of what was made so far. */
  readonly #sizes = new Set<Dim>();
  #constantBytes = 0;
  /** Steps that may run again and again. */
  readonly #repeated: PlanEntry[] = [];
  /** First step of the entry that is being lowered, where it repeats. */
  #again = -Infinity;
  #task = -1;
  #node = "";
  #load: PendingLoad | undefined;

  /** Tasks have scales and zero points of all weights, and are not kept. */
  constructor(input: LoweringInput, tasks: readonly Task[]) {
    this.#in = input;
    for (const [i, task] of tasks.entries()) {
      const read = "from" in task ? [task.from] : [...task.inputs, ...dynamicValues(task)];
      for (const value of read) this.#lastRead.set(value, i);
    }
    for (const value of input.kept) this.#lastRead.set(value, Infinity);
  }

  /** Lowers what runs by one name. */
  lowerEntry(tasks: readonly Task[], repeats?: boolean): PlanEntry {
    const from = this.steps.length;
    this.#again = repeats ? from : -Infinity;
    for (const task of tasks) this.#lower(task);
    const entry = { from, to: this.steps.length };
    if (repeats) this.#repeated.push(entry);
    return entry;
  }

  #lower(task: Task): void {
    this.#task++;
    this.#load = undefined;
    if ("from" in task) return this.#convert(task.from, task.to);
    const { op, name } = task.node;
    this.#node = name;
    const own = opOf(this.#in.registry, op, name);
    if (own.act) this.#pause(task);
    else if (task.integer) own.lowerInteger!(task, this);
    else own.lower!(task, this);
    const made = task.outputs.filter(Boolean).flatMap((value) => this.type(value).shape);
    for (const dim of made) {
      if (!this.#sizes.has(dim)) this.needsSize(dim);
      this.#sizes.add(dim);
    }
  }

  /** The host reads the inputs of an act after the steps so far, and writes its outputs before the next one. */
  #pause({ node, inputs, outputs }: Unit): void {
    const at = this.steps.length;
    const made = outputs.filter(Boolean);
    const alive = [...inputs.map((value) => this.input(value)), ...made.map((value) => this.output(value))];
    for (const { buffer } of alive) {
      buffer.first = Math.min(buffer.first, at);
      buffer.last = Math.max(buffer.last, at);
    }
    this.pauses.push({ node, at, inputs, outputs: made });
  }

  /** Ends the lifetimes: what is kept lives on, and what crosses an edge of steps that repeat lives all through them. */
  finish(): void {
    for (const value of this.#in.kept) this.addressOf(value).buffer.last = Infinity;
    for (const { from, to } of this.#repeated)
      for (const buffer of this.buffers) {
        if (buffer.first < from && buffer.last >= from) buffer.last = Math.max(buffer.last, to - 1);
        if (buffer.first < to && buffer.last >= to) buffer.first = Math.min(buffer.first, from);
      }
  }

  /** Gives a value memory of its own that is written before the first step. */
  place(value: string): Address {
    const address = this.output(value);
    address.buffer.first = -1;
    address.buffer.last = -1;
    return address;
  }

  /** Gives a constant that steps write to memory of its own, for the life of the plan. */
  placeState(value: string): void {
    const { dtype, shape } = this.type(value);
    const count = countOf(shape);
    if (typeof count !== "number")
      throw new OctetteError("a state has no fixed size", {
        code: "graph",
        where: `state "${value}"`,
        expected: "numbers",
        got: formatShape(shape),
      });
    const place = this.reserve(count * bytesPerElement[dtype]);
    this.stateBuffers.push(place.buffer);
    this.#places.set(value, place);
  }

  addressOf(value: string): Address {
    return this.#known(this.#places, value, "is not in memory");
  }

  type(value: string): ValueType {
    return this.#known(this.#in.types, value, "has no type");
  }

  #known<T>(all: ReadonlyMap<string, T>, value: string, otherwise: string): T {
    const known = all.get(value);
    if (known !== undefined) return known;
    throw new OctetteError(`value "${value}" ${otherwise}`, { code: "graph", where: this.#in.graph.name });
  }

  layout(value: string): Layout {
    return this.#in.layouts.get(value) ?? "plain";
  }

  constant(value: string): NamedConstant | undefined {
    const constant = this.#in.state.has(value) ? undefined : this.#in.graph.constants.get(value);
    return constant && { name: value, ...constant };
  }

  input(value: string): Address {
    const known = this.#places.get(value);
    const constant = this.constant(value);
    if (known || !constant) return this.addressOf(value);
    const address = this.#keep(asValue(constant));
    this.#places.set(value, address);
    return address;
  }

  output(value: string, over?: string): Address {
    const { dtype, shape } = this.type(value);
    const bytes = multiplyDims(countOf(shape), bytesPerElement[dtype]);
    const taken = over === undefined ? undefined : this.#places.get(over);
    const address =
      taken && this.#isFree(taken.buffer) && taken.buffer.bytes === bytes
        ? taken
        : this.#allocate("arena", bytes);
    return this.#settle(value, address);
  }

  alias(output: string, input: string, from: Dim = 0): void {
    this.#settle(output, behind(this.input(input), from));
  }

  data(content: Content): Address {
    return this.#keep(planned(content));
  }

  once<T>(key: string, make: () => T): T {
    if (!this.#made.has(key)) this.#made.set(key, make());
    return this.#made.get(key) as T;
  }

  reserve(bytes: number): Address {
    // Known before planning, so that what fills constants is not made for more than there can be.
    checkTotal((this.#constantBytes += bytes));
    return this.#allocate("constants", bytes);
  }

  fill(content: Content, to: Address): void {
    this.#group().copies.push({ to, ...planned(content) });
  }

  apart(make: () => void): void {
    const own = this.#load;
    this.#load = undefined;
    make();
    this.#load = own;
  }

  stage(content: Content | number, part?: { readonly from: number; readonly bytes: number }): Address {
    if (typeof content !== "number") return this.#stage({ ...planned(content), ...part });
    const group = this.#group();
    const address = { buffer: STAGING, offset: group.staged };
    group.staged += align(content);
    this.stagingBytes = Math.max(this.stagingBytes, group.staged);
    return address;
  }

  load<K extends KernelName>(kernel: K, args: LoadArguments<K>, expected?: string): void {
    this.#group().calls.push({ kernel, args, expected });
  }

  needs(dim: Dim, output: string | undefined, otherwise: Dim = 0, kind: NeedKind = "some"): void {
    if (kind === "some" && [dim, otherwise].some((one) => typeof one === "number" && one > 0)) return;
    const elements = output === undefined ? 1 : countOf(this.type(output).shape);
    this.#need(kind, dim, otherwise, elements);
  }

  needsSize(dim: Dim): void {
    if (!isNatural(dim)) this.#need("size", dim, 0, 1);
  }

  #need(kind: NeedKind, dim: Dim, otherwise: Dim, elements: Dim): void {
    this.needed.push({ node: this.#node, dim, otherwise, elements, kind, part: this.pauses.length });
  }

  scratch(bytes: Size): Address {
    const address = this.temporary(bytes);
    this.scratches.add(address.buffer);
    return address;
  }

  temporary(bytes: Size): Address {
    return this.#allocate("arena", bytes);
  }

  call<K extends KernelName>(kernel: K, args: LoadArguments<K>): void {
    this.#step(kernel, args, undefined, 0);
  }

  emit<K extends KernelName>(kernel: K, args: StepArguments<K>, count: Dim, macs: Dim = 0): void {
    this.#step(kernel, args, count, macs);
  }

  #step(kernel: KernelName, args: readonly unknown[], count: Dim | undefined, macs: Dim): void {
    const step = this.steps.length;
    this.#limit("steps", step);
    let scratch = -1;
    const touched: Buffer[] = [];
    for (const [i, arg] of (args as readonly (Address | Dim)[]).entries()) {
      if (typeof arg !== "object" || arg.buffer.area !== "arena") continue;
      arg.buffer.first = Math.min(arg.buffer.first, step);
      arg.buffer.last = Math.max(arg.buffer.last, step);
      if (this.scratches.has(arg.buffer)) scratch = i;
      else touched.push(arg.buffer);
    }
    const own = args as PendingStep["args"];
    this.steps.push({ node: this.#node, kernel, args: own, count, macs, scratch, touched });
  }

  isOne(dim: Dim): boolean {
    const { one, hasMore } = this.#in;
    return (dim === 1 || dim === one) && !hasMore?.(this.#node, one);
  }

  /** Copied to its place alone: what is not packed need not wait for the rest of its unit. */
  #keep(content: Planned): Address {
    const to = this.reserve(bytesOf(content));
    this.loads.push({ copies: [{ to, ...content }], calls: [], staged: 0 });
    return to;
  }

  #stage(content: Planned): Address {
    const to = this.stage(bytesOf(content));
    this.#group().copies.push({ to, ...content });
    return to;
  }

  #group(): PendingLoad {
    if (!this.#load) this.loads.push((this.#load = { copies: [], calls: [], staged: 0 }));
    return this.#load;
  }

  #allocate(area: "constants" | "arena", bytes: Size): Address {
    this.#limit("buffers", this.buffers.length);
    const buffer: Buffer = { area, bytes, first: Infinity, last: -Infinity };
    this.buffers.push(buffer);
    return { buffer, offset: 0 };
  }

  #limit(what: string, count: number): void {
    if (count >= MAX_PLANNED)
      throw new OctetteError(`the plan has too many ${what}`, {
        code: "limit",
        where: this.#node,
        expected: `at most MAX_PLANNED = ${MAX_PLANNED}`,
      });
  }

  #settle(value: string, address: Address): Address {
    this.#places.set(value, address);
    const last = Math.max(this.#lastUse.get(address.buffer) ?? -1, this.#lastRead.get(value) ?? -1);
    this.#lastUse.set(address.buffer, last);
    return address;
  }

  /** No later task reads any value that lies in the buffer, nor this one when it runs again. */
  #isFree(buffer: Buffer): boolean {
    if (buffer.area !== "arena" || buffer.first < this.#again) return false;
    return this.#lastUse.get(buffer)! <= this.#task;
  }

  /** Moves a value between plain order and channels last: a transpose of [n][channels][spatial]. */
  #convert(from: string, to: string): void {
    this.#node = `${from} → ${this.layout(to)}`;
    const { shape, dtype } = this.type(from);
    const [had, wants] = [this.layout(from), this.layout(to)];
    const total = countOf(shape.slice(1));
    const flat = flatChannels(had) ?? flatChannels(wants);
    const channels = flat ?? shape[1]!;
    const spatial = flat === undefined ? countOf(shape.slice(2)) : divideDims(total, channels)!;
    if ((had === "plain") === (wants === "plain") || channels === 1 || spatial === 1)
      return this.alias(to, from);
    const [rows, cols] = had === "plain" ? [channels, spatial] : [spatial, channels];
    const kernel = bytesPerElement[dtype] === 1 ? "transpose8" : "transpose32";
    const constant = this.constant(from);
    if (constant) {
      const content = asValue(constant);
      const address = this.#settle(to, this.reserve(bytesOf(content)));
      return this.load(kernel, [address, this.#stage(content), rows, cols, 0, shape[0] ?? 1]);
    }
    this.emit(kernel, [this.output(to), this.input(from), rows, cols], shape[0] ?? 1);
  }
}

/** Scale and zero point that a unit reads from values, beside its inputs. */
const dynamicValues = (unit: Unit): string[] =>
  (unit.integer?.inputs ?? [])
    .flatMap((q) => (q?.dynamic ? [q.dynamic.scale, q.dynamic.zeroPoint] : []))
    .filter((value) => value !== "");

const planned = (content: Content): Planned =>
  ArrayBuffer.isView(content)
    ? { numbers: content }
    : {
        constant: content.name,
        bytes: sizeOf(content.shape) * bytesPerElement[content.dtype],
        isFlipped: false,
      };

/** A constant that is read as a value: i8 codes with the top bit flipped, as those of values are. */
const asValue = (constant: NamedConstant): Planned => ({
  ...planned(constant),
  isFlipped: constant.dtype === "i8",
});

const bytesOf = (content: Planned): number =>
  "numbers" in content ? content.numbers.byteLength : content.bytes;
