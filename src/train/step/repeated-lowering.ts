// Lowering a unit twice: a recording keeps what an op takes of the compiler. A repetition gives it the same again, in the order in
// which it asks, and keeps what it asks for: other numbers.

import type { LoweringContext } from "../../engine/lowering";
import type { Dim } from "../../graph/symbols";
import type { Tensor } from "../../graph/tensor";
import type {
  Address,
  Content,
  KernelName,
  LoadArguments,
  Lowering,
  NamedConstant,
  Size,
  StepArguments,
} from "../../ops/op";
import { numberIn, type ScalarLowering } from "../ops/scalar";

/** An argument that is the number of a constant. */
export interface Scalar {
  readonly step: number;
  readonly index: number;
  readonly constant: string;
}

/** What a unit took: memory without a name, load groups by their index, and the steps [from, to). */
export interface LoweredUnit {
  readonly c: LoweringContext;
  readonly memory: readonly Address[];
  readonly loads: readonly number[];
  readonly from: number;
  readonly to: number;
  /** Constants whose elements it asked for. */
  readonly read: ReadonlySet<string>;
  readonly scalars: readonly Scalar[];
}

/** What stands for the number of a constant. */
const SCALAR = "scalar@";

interface Call {
  readonly kernel: string;
  readonly args: readonly (Address | Dim)[];
}

/** What a unit asked for. */
export interface Asked {
  readonly steps: Call[];
  readonly loads: { readonly contents: Content[]; readonly calls: Call[] }[];
}

/** What both are to an op: nothing that a unit packs is shared, since another may come to pack other numbers. */
abstract class UnitLowering {
  protected abstract readonly c: LoweringContext;

  type(value: string) {
    return this.c.type(value);
  }

  layout(value: string) {
    return this.c.layout(value);
  }

  isOne(dim: Dim) {
    return this.c.isOne(dim);
  }

  scalar(constant: string): string {
    return `${SCALAR}${constant}`;
  }

  once<T>(_: string, make: () => T): T {
    return make();
  }
}

export class Recording extends UnitLowering implements ScalarLowering {
  protected readonly c: LoweringContext;
  readonly #memory: Address[] = [];
  readonly #loads: number[] = [];
  readonly #from: number;
  readonly #read = new Set<string>();
  readonly #scalars: Scalar[] = [];

  constructor(c: LoweringContext) {
    super();
    this.c = c;
    this.#from = c.steps.length;
  }

  /** What was taken. */
  get lowered(): LoweredUnit {
    const { c } = this;
    return {
      c,
      memory: this.#memory,
      loads: this.#loads,
      from: this.#from,
      to: c.steps.length,
      read: this.#read,
      scalars: this.#scalars,
    };
  }

  constant(value: string) {
    const constant = this.c.constant(value);
    if (constant) this.#read.add(value);
    return constant;
  }

  input(value: string) {
    return this.c.input(value);
  }

  output(value: string, over?: string) {
    return this.c.output(value, over);
  }

  alias(output: string, input: string, from?: Dim): void {
    this.c.alias(output, input, from);
  }

  data(content: Content) {
    return this.#take(this.#load(() => this.c.data(content)));
  }

  reserve(bytes: number) {
    return this.#take(this.c.reserve(bytes));
  }

  fill(content: Content, to: Address): void {
    this.#load(() => this.c.fill(content, to));
  }

  apart(make: () => void): void {
    this.c.apart(make);
  }

  stage(...asked: Parameters<Lowering["stage"]>) {
    return this.#take(this.#load(() => this.c.stage(...asked)));
  }

  load<K extends KernelName>(kernel: K, args: LoadArguments<K>, expected?: string): void {
    this.#load(() => this.c.load(kernel, args, expected));
  }

  needs(...asked: Parameters<Lowering["needs"]>): void {
    this.c.needs(...asked);
  }

  needsSize(dim: Dim): void {
    this.c.needsSize(dim);
  }

  scratch(bytes: Size) {
    return this.#take(this.c.scratch(bytes));
  }

  temporary(bytes: Size) {
    return this.#take(this.c.temporary(bytes));
  }

  call<K extends KernelName>(kernel: K, args: LoadArguments<K>): void {
    this.c.call(kernel, this.#numbers(args) as LoadArguments<K>);
  }

  emit<K extends KernelName>(kernel: K, args: StepArguments<K>, count: Dim, macs?: Dim): void {
    this.c.emit(kernel, this.#numbers(args) as StepArguments<K>, count, macs);
  }

  /** Arguments of the next step, with numbers for what stands for them. */
  #numbers(args: readonly unknown[]): unknown {
    return args.map((arg, index) => {
      if (typeof arg !== "string" || !arg.startsWith(SCALAR)) return arg;
      const constant = arg.slice(SCALAR.length);
      this.#scalars.push({ step: this.c.steps.length, index, constant });
      return numberIn(this.c.constant(constant)!);
    });
  }

  #take(address: Address): Address {
    this.#memory.push(address);
    return address;
  }

  #load<T>(make: () => T): T {
    const index = this.c.loads.length;
    const made = make();
    if (this.c.loads.length > index) this.#loads.push(index);
    return made;
  }
}

/** Of units of a compiled graph, one after another. */
export class Repetition extends UnitLowering implements ScalarLowering {
  readonly #constants: ReadonlyMap<string, Tensor>;
  protected c!: LoweringContext;
  #memory: readonly Address[] = [];
  #taken = 0;
  #asked: Asked = { steps: [], loads: [] };
  #group: Asked["loads"][number] | undefined;

  /** `constants` have the numbers that they have now. */
  constructor(constants: ReadonlyMap<string, Tensor>) {
    super();
    this.#constants = constants;
  }

  /** Begins a unit. Returns what it will ask for. */
  begin({ c, memory }: LoweredUnit): Asked {
    this.c = c;
    this.#memory = memory;
    this.#taken = 0;
    this.#group = undefined;
    this.#asked = { steps: [], loads: [] };
    return this.#asked;
  }

  constant(value: string): NamedConstant | undefined {
    const constant = this.c.constant(value);
    return constant && { ...constant, ...this.#constants.get(value) };
  }

  input(value: string) {
    return this.c.addressOf(value);
  }

  output(value: string) {
    return this.c.addressOf(value);
  }

  alias(): void {}

  data(content: Content) {
    this.#asked.loads.push({ contents: [content], calls: [] });
    return this.#take();
  }

  reserve() {
    return this.#take();
  }

  fill(content: Content): void {
    this.#ownGroup().contents.push(content);
  }

  apart(make: () => void): void {
    const own = this.#group;
    this.#group = undefined;
    make();
    this.#group = own;
  }

  stage(content: Content | number) {
    const { contents } = this.#ownGroup();
    if (typeof content !== "number") contents.push(content);
    return this.#take();
  }

  load(kernel: KernelName, args: Call["args"]): void {
    this.#ownGroup().calls.push({ kernel, args });
  }

  needs(): void {}

  needsSize(): void {}

  scratch() {
    return this.#take();
  }

  temporary() {
    return this.#take();
  }

  call(kernel: KernelName, args: Call["args"]): void {
    this.#asked.steps.push({ kernel, args });
  }

  emit(kernel: KernelName, args: Call["args"]): void {
    this.#asked.steps.push({ kernel, args });
  }

  #take(): Address {
    return this.#memory[this.#taken++]!;
  }

  #ownGroup(): Asked["loads"][number] {
    if (!this.#group) {
      this.#group = { contents: [], calls: [] };
      this.#asked.loads.push(this.#group);
    }
    return this.#group;
  }
}
