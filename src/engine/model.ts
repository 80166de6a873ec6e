// A model that runs: its graph, compiled and loaded into a wasm memory of its own. The file is long because the class is one: loading,
// running, planning anew and disposing change the same session.

import { OctetteError } from "../errors";
import { bodiesOf } from "../graph/bodies";
import type { Graph, Input, ValueType } from "../graph/graph";
import { type Bindings, type Dim, evaluateDim, evaluateShape, type Shape } from "../graph/symbols";
import {
  bytesIn,
  type Constant,
  type DType,
  type OutputTensor,
  sizeOf,
  type Tensor,
  type TypedArray,
} from "../graph/tensor";
import type { Registry } from "../ops/infer";
import type { Layout } from "../ops/op";
import { batchAxis } from "./batch";
import type { Draft } from "./draft";
import { type Look, lookOut } from "./feed-range";
import { arrayFor, bindSymbols, checkFeeds, checkInto, checkSymbols, type Feeds, type Into } from "./feeds";
import { allowed, checkLimit, checkMaxima, checkNeeds } from "./limit";
import type { ConstantSink } from "./loader";
import { isFor, kernelsOf, type Plan, type PlannedValue, type Planner } from "./plan";
import { loadedRunSizes, newRoom, plannerOf } from "./planner";
import type { Acts } from "./run-sizes/acts";
import type { GrowingRoom } from "./run-sizes/room";
import { flipFor, type PlacedTensor, Session } from "./session";
import type { Stream, StreamOptions } from "./stream";
import { type Threads, threadsFor } from "./threads";
import type { Engine, EngineClass, EngineInfo } from "./wasm";

/** Memory, threads and kernels of a model. */
export interface ModelOptions {
  /**
   * Largest value of each symbol that memory is planned for, such as `{ batch: 64 }`; default 1 each. A larger batch is run in
   * parts, if its rows do not meet. Other sizes beyond it take more memory in the run that needs it, up to `maxBytes`.
   */
  readonly maxima?: Readonly<Record<string, number>>;
  /** Values to be read with `tapped()`, beside the outputs. Default: none. */
  readonly taps?: readonly string[];
  /**
   * Most memory it may take, in bytes or as a size such as "64MB"; default 1 GiB. A model, or a run, that would take more is
   * an error, before any is allocated. `Infinity` allows what wasm can address, 4 GB.
   */
  readonly maxBytes?: number | string | undefined;
  /** Kernels to run; default the fastest that the engine computes right. Where those asked for are not right, neither are results. */
  readonly engineClass?: EngineClass;
  /**
   * Threads that share the large steps, with the same bytes for any number; default 1. In a page it needs
   * cross-origin isolation (COOP and COEP headers). `model.engine` says how many run, and why not more.
   */
  readonly threads?: number | undefined;
  /**
   * Where the file of `octette/worker.js` is served: the script of further threads. Only needed in a page whose policy takes no
   * worker from a Blob and whose bundler leaves the script out. Default: the script as the package carries it.
   */
  readonly worker?: URL | string;
  /** Most iterations that all loops of one run may do, those of loops in loops included: an endless one ends. Default 262 144. */
  readonly maxIterations?: number | undefined;
}

/** A value of the last run, in the layout it has in memory. */
export interface Tapped {
  readonly dtype: DType;
  /** In ONNX's order of dimensions, whatever the layout. */
  readonly shape: readonly number[];
  readonly layout: Layout;
  /** A view of the model's memory, valid until the next run; i8 codes have their top bit flipped there. */
  readonly data: TypedArray;
}

/** What one step of the plan took. */
export interface StepProfile {
  readonly node: string;
  readonly kernel: string;
  /** Median over the rounds, in milliseconds. */
  readonly milliseconds: number;
  /** Multiply-adds. */
  readonly macs: number;
}

/** What is fed, or some rows of it. */
type Elements = Pick<Tensor, "data">;

/** What runs with certain values of the symbols read and write. */
interface Bound {
  readonly bindings: Bindings;
  readonly inputs: readonly PlacedTensor[];
  readonly outputs: readonly PlacedTensor[];
}

/** Plans of one model that are kept: sizes that alternate are planned once. */
export const MAX_PLANS = 4;

/** Arrays with outputs of runs of this turn, which nobody can have read yet. */
const lent = new WeakSet<TypedArray>();

/** A model in memory of its own, ready to run. */
export class Model {
  /** The graph it was made from; loaded from a file, it is without the elements of its large constants. */
  readonly graph: Graph<Constant>;
  /** What it takes; `preprocessing` says which feeds of an input it normalizes: none, bytes, or any numbers. */
  readonly inputs: readonly Input[];
  readonly outputs: readonly (ValueType & { readonly name: string })[];
  readonly #engine: Engine;
  readonly #registry: Registry;
  readonly #options: ModelOptions;
  readonly #forgetEngine: () => void;
  readonly #look: Look;
  #threads: Threads;
  #draft: Draft;
  /** The last plans that ran first. */
  #plans: readonly Plan[];
  #room: GrowingRoom | undefined;
  /** Settles when the workers have been told to start, or cannot be. */
  #started: Promise<void> = Promise.resolve();
  #session: Session;
  #distrusted = false;
  /** Those of the graph around it. */
  readonly #within: Acts | undefined;
  /** Present where the host acts between steps. */
  readonly #acts: Acts | undefined;
  /** Of the last run: made again only where a symbol's value changes. */
  #bound: Bound | undefined;

  /**
   * Compiles and loads synchronously. Use `createModel` where compiling wasm may not block. Constants whose elements the
   * graph does not have are put to `loader`, once the engine's class is settled: there is nothing to load them from again.
   * A draft is taken as long as its class is still that of the graph.
   * @internal
   */
  constructor(
    graph: Graph<Constant>,
    registry: Registry,
    engine: Engine,
    options: ModelOptions = {},
    draft?: Draft,
    within?: Acts,
  ) {
    const isCurrent = draft?.plan.engineClass === classOf(engine, options, graph);
    this.#draft = isCurrent ? draft! : draftModel(graph, registry, engine, options, within?.allBytes);
    this.graph = graph;
    this.inputs = graph.inputs;
    this.#engine = engine;
    this.#registry = registry;
    this.#options = options;
    this.#within = within;
    this.#look = lookOut(graph, registry, engine.told);
    this.#threads = this.#draft.threads;
    this.#plans = [this.#draft.plan];
    this.#session = this.#open();
    const { bodies } = this.#draft;
    if (this.plan.pauses.length > 0)
      this.#acts = new (loadedRunSizes().Acts)({
        ownBytes: () => this.#session.bytes,
        registry,
        modelOf: (body, acts) => new Model(body, registry, engine, ofBody(options), bodies?.get(body), acts),
        bodies,
        maxIterations: options.maxIterations,
        within,
      });
    const { results = this.plan.outputs } = this.plan;
    this.outputs = results.map(({ name, type }) => ({ name, ...type }));
    const isChosen = options.engineClass === undefined;
    this.#forgetEngine = isChosen ? engine.onDistrust(() => (this.#distrusted = true)) : () => {};
  }

  /** Names of its classes, in the order of the last dimension of its first output, where the artifact has them: `topK` takes them. */
  get classes(): readonly string[] | undefined {
    return this.graph.classes;
  }

  /** Bytes of wasm memory the model holds: constants, arena, and what rounds them up to a page. */
  get bytes(): number {
    return this.#session.bytes + (this.#acts?.bytes ?? 0);
  }

  /**
   * The compiled plan of the last run: what runs, and where it lies.
   * @internal
   */
  get plan(): Plan {
    return this.#session.plan;
  }

  /**
   * Takes the constants whose elements the graph does not have.
   * @internal
   */
  get loader(): ConstantSink {
    return this.#acts?.loader(this.#session) ?? this.#session.loader;
  }

  /**
   * Sizes that it was planned for at first: numbers where kernels take those, of `maxima` or the smallest powers of two that it takes, and
   * sizes that are equal to others, such as `{ total: "past+seq" }`. Other sizes are planned when they are fed.
   */
  get sizes(): Readonly<Record<string, Dim>> {
    return this.#draft.plan.sizes;
  }

  /** Why it runs another class than its engine. */
  get #reason(): string {
    if (this.#options.engineClass) return "asked for";
    return this.#distrusted
      ? this.#engine.info.reason
      : "its weights of −128 are not exact in the engine's class";
  }

  /** Bytes of the memories of the other graphs of its model. */
  get #besideBytes(): number {
    return ((this.#within ?? this.#acts)?.allBytes ?? this.bytes) - this.#session.bytes;
  }

  /** Which class of kernels runs and on how many threads, and why. */
  get engine(): EngineInfo {
    const { info } = this.#engine;
    const { engineClass, threads } = this.plan;
    const isStarting = threads > 1 && this.#threads.threads > 1 && !this.#session.pool?.isUp;
    return {
      ...info,
      ...(engineClass === info.engineClass ? {} : { engineClass, reason: this.#reason }),
      ...(isStarting ? { threads: 1, threadsReason: "its workers are starting" } : this.#threads),
    };
  }

  /**
   * Settles when the workers of further threads have been told to start.
   * @internal
   */
  get started(): Promise<void> {
    return this.#started;
  }

  /**
   * Runs the model. Every input by name, as a tensor or as a bare array of its elements; bytes, or any numbers, where the input's
   * preprocessing is of those. Any batch: one beyond the maximum is run in parts, with the same result to the bit. Where
   * rows of it meet, as in a mean over the batch, and for other sizes beyond the maximum, memory grows, up to `maxBytes`.
   * The feeds are read when it is called: their arrays may change while its promise is awaited. Outputs are new arrays, or those
   * of `into`: in a loop that leaves no garbage. Those hold the outputs of the last run: await one before the next is given them.
   * `symbols` are values of those that no input has, such as a position in a cache: whole numbers.
   */
  async run(feeds: Feeds, into?: Into, symbols?: Bindings): Promise<Record<string, OutputTensor>> {
    const outputs = this.runSync(feeds, into, symbols);
    if (!into) return outputs;
    const arrays = Object.values(into).filter(Boolean);
    for (const array of arrays) lent.add(array);
    // Done before whoever awaits this run goes on.
    queueMicrotask(() => {
      for (const array of arrays) lent.delete(array);
    });
    return outputs;
  }

  /** As `run`, at once. */
  runSync(feeds: Feeds, into: Into = {}, symbols: Bindings = {}): Record<string, OutputTensor> {
    const { fed, bindings } = this.#check(feeds, symbols);
    checkInto(this.outputs, into, lent);
    const { batch: symbol, maxima } = this.#draft.plan;
    const limit = symbol === undefined ? Infinity : maxima[symbol]!;
    if (symbol === undefined || bindings[symbol]! <= limit || !this.#keepsRows(symbol, limit, bindings))
      return this.#runOnce(fed, bindings, into);
    const rows = bindings[symbol]!;
    const cut = (shape: Shape, { data }: Tensor, from: number, to: number): TypedArray => {
      const each = data.length / rows;
      return batchAxis(shape, symbol) < 0 ? data : data.subarray(from * each, to * each);
    };
    const whole = Object.fromEntries(
      this.outputs.map(({ name, dtype, shape }) => {
        const actual = evaluateShape(shape, bindings);
        const data = arrayFor(name, dtype, sizeOf(actual), into);
        return [name, { dtype, shape: actual, data } as OutputTensor];
      }),
    );
    for (let from = 0; from < rows; from += limit) {
      const to = Math.min(from + limit, rows);
      const part = new Map(
        this.inputs.map(({ name, shape }) => [name, { data: cut(shape, fed.get(name)!, from, to) }] as const),
      );
      const parts = this.outputs.map(
        ({ name, shape }) => [name, cut(shape, whole[name]!, from, to)] as const,
      );
      this.#runOnce(part, { ...bindings, [symbol]: to - from }, Object.fromEntries(parts));
    }
    return whole;
  }

  /** Whether rows are apart with these sizes, which may be others than those of the first plan. */
  #keepsRows(symbol: string, limit: number, bindings: Bindings): boolean {
    const isSized = Object.keys(this.#draft.plan.sizes).length > 0;
    return !isSized || this.#planFor({ ...bindings, [symbol]: limit }).batch === symbol;
  }

  /**
   * A stream: runs frame after frame and keeps the states that the model takes as inputs and gives as outputs. Which they are is guessed
   * only where names and types leave no doubt (see StreamOptions); otherwise it is an error that asks for `states`.
   */
  async stream(options: StreamOptions = {}): Promise<Stream> {
    return (await import("./stream.js")).streamOf(this, options);
  }

  /** A tapped value of the last run (of its last part, where the batch was cut). */
  tapped(name: string): Tapped {
    const value = this.plan.taps.find((tap) => tap.name === name);
    if (!value)
      throw new OctetteError(`"${name}" is not tapped`, {
        code: "argument",
        where: "tapped",
        hint: "Name it in the model's `taps` option",
      });
    void this.#session.buffer; // throws after dispose()
    return { ...this.#session.see(value, this.#bound?.bindings), layout: value.layout };
  }

  /**
   * What it keeps from run to run, as it lies in memory: valid until memory grows. Zeros at first.
   * @internal
   */
  get states(): readonly PlacedTensor[] {
    return this.plan.state.map((state) => this.#session.see(state));
  }

  /** Sets what it keeps from run to run to zeros, as it is at first. */
  reset(): void {
    for (const { data } of this.states) data.fill(0);
  }

  /**
   * Runs the same feeds `rounds` times, no larger batch than the maximum, and reports the median time of every step, without what the
   * host does between steps. `symbols` as those of `run`.
   */
  profile(feeds: Feeds, rounds = 20, symbols?: Bindings): StepProfile[] {
    const { fed, bindings: given } = this.#check(feeds, symbols);
    // The plan is that of this run.
    const { bindings } = this.#acts ? this.#act(this.#acts, fed, given) : this.#bind(given);
    const times = Array.from({ length: rounds }, () => {
      const each = this.plan.steps.map(() => 0);
      const time = (sizes: Bindings, entry?: string) => this.#session.time(sizes, each, entry);
      if (this.#acts) this.#act(this.#acts, fed, given, time);
      else {
        this.#write(fed, this.#bind(bindings));
        time(bindings);
      }
      return each;
    });
    return this.plan.steps.map(({ node, kernel, macs }, i) => ({
      node,
      kernel,
      milliseconds: times.map((each) => each[i]!).sort((a, b) => a - b)[rounds >> 1]!,
      macs: evaluateDim(macs, bindings),
    }));
  }

  /** Lets go of the memory and ends its threads. Twice is harmless; a later run throws an OctetteError with code "disposed". */
  dispose(): void {
    this.#session.dispose();
    this.#acts?.dispose();
    this.#bound = undefined;
    this.#forgetEngine();
  }

  /** As `dispose`: with `using model = loadSync(bytes)`, memory is let go of where the block ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** A session of the plan with all constants that are here, which runs on one thread until its workers are up. */
  #open(): Session {
    const session = new Session(this.#draft.plan, this.#engine, allowed(this.#options.maxBytes));
    for (const [name, { data }] of this.graph.constants) if (data) session.loader.put(name, bytesIn(data));
    if (session.plan.threads > 1) this.#started = this.#share(session, session.memory!);
    return session;
  }

  async #share(session: Session, memory: WebAssembly.Memory): Promise<void> {
    const { plan } = session;
    const alone = (reason: string) => {
      session.pool = undefined;
      this.#threads = { threads: 1, threadsReason: reason };
    };
    try {
      const { ThreadPool } = await import("./thread-pool.js");
      const modules = this.#engine.modules(plan.engineClass, kernelsOf(plan));
      const imports = this.#engine.imports(plan.engineClass, memory);
      session.pool = ThreadPool.start({ plan, modules, imports, script: this.#options.worker, onEnd: alone });
    } catch (cause) {
      alone(`workers cannot be started: ${(cause as Error).message}`);
    }
  }

  #check(feeds: Feeds, symbols: Bindings = {}): { fed: ReadonlyMap<string, Tensor>; bindings: Bindings } {
    void this.#session.buffer; // throws after dispose()
    const fed = checkFeeds(this.inputs, feeds, this.#look);
    return { fed, bindings: bindSymbols(this.inputs, fed, symbols) };
  }

  #runOnce(fed: ReadonlyMap<string, Elements>, bindings: Bindings, into: Into): Record<string, OutputTensor> {
    if (this.#distrusted) this.#rebuild();
    const bound = this.#acts ? this.#act(this.#acts, fed, bindings) : this.#step(fed, bindings);
    const results: [string, OutputTensor][] = [];
    for (const { name, dtype, shape, data } of bound.outputs) {
      const array = arrayFor(name, dtype, data.length, into);
      array.set(data);
      results.push([name, { dtype, shape: [...shape], data: flipFor(dtype, array) } as OutputTensor]);
    }
    return Object.fromEntries(results);
  }

  /** Runs a plan of steps alone. */
  #step(fed: ReadonlyMap<string, Elements>, bindings: Bindings): Bound {
    const bound = this.#bind(bindings);
    this.#write(fed, bound);
    this.#session.run(bound.bindings);
    return bound;
  }

  /** Runs a plan in which the host acts between steps. */
  #act(
    acts: Acts,
    fed: ReadonlyMap<string, Elements>,
    given: Bindings,
    run: (bindings: Bindings, entry: string) => unknown = (bindings, entry) =>
      this.#session.run(bindings, entry),
  ): Bound {
    const found = acts.run(given, {
      session: () => this.#session,
      run,
      planFor: (sizes, run) => this.#planFor(sizes, run),
      begin: (plan, bindings) => {
        this.#use(plan);
        this.#write(fed, { inputs: plan.inputs.map((value) => this.#session.see(value, bindings)) });
      },
    });
    return this.#see(found);
  }

  /** The class in use was found wrong: the same graph in the class that is trusted. */
  #rebuild(): void {
    this.#distrusted = false;
    // Graphs within the graph are drafted with it: their present memory does not count.
    const beside = this.#within && this.#within.allBytes - this.bytes;
    this.#draft = draftModel(this.graph, this.#registry, this.#engine, this.#options, beside);
    this.#session.dispose();
    this.#bound = undefined;
    this.#threads = this.#draft.threads;
    this.#plans = [this.#draft.plan];
    this.#session = this.#open();
  }

  #bind(bindings: Bindings): Bound {
    if (this.#bound && isSame(this.#bound.bindings, bindings)) return this.#bound;
    const plan = this.#planFor(bindings);
    checkNeeds(plan.needs, bindings);
    this.#use(plan);
    return this.#see(bindings);
  }

  /** Goes on with a plan that has room for these sizes. */
  #use(plan: Plan): void {
    const { loads } = this.plan;
    if (plan !== this.plan)
      if (plan.loads === loads && plan.own.length === 0) this.#session.plan = plan;
      else loadedRunSizes().goOn(this.#session, plan, (name) => this.graph.constants.get(name)?.data);
    this.#plans = [...new Set([plan, ...this.#plans])].slice(0, MAX_PLANS);
  }

  /** What the plan reads and writes where it runs with these sizes. */
  #see(bindings: Bindings): Bound {
    const { inputs, outputs } = this.plan;
    const see = (value: PlannedValue) => this.#session.see(value, bindings);
    this.#bound = { bindings, inputs: inputs.map(see), outputs: outputs.map(see) };
    return this.#bound;
  }

  /** The smallest plan that has room for these sizes, or a new one; `run` are those of them that are known and not taken from another run. */
  #planFor(bindings: Bindings, run = bindings): Plan {
    const given = Object.entries(bindings);
    const [smallest] = this.#plans
      .filter((plan) => isFor(plan, bindings))
      .sort((a, b) => a.memory.arenaBytes - b.memory.arenaBytes);
    if (smallest) return smallest;
    const sizes = Object.fromEntries(given.map(([symbol, size]) => [symbol, size || 1]));
    const planFor: Planner = (sizes = {}, run = {}) => this.#draft.planFor(sizes, run, this.#besideBytes);
    this.#room ??= newRoom();
    return this.#room?.planFor(sizes, run, this.plan, planFor) ?? planFor(sizes, run);
  }

  #write(fed: ReadonlyMap<string, Elements>, { inputs }: Pick<Bound, "inputs">): void {
    for (const { name, dtype, data } of inputs) {
      data.set(fed.get(name)!.data);
      flipFor(dtype, data);
    }
  }
}

/** Whether the same symbols have the same values. */
function isSame(a: Bindings, b: Bindings): boolean {
  for (const symbol in a) if (a[symbol] !== b[symbol]) return false;
  for (const symbol in b) if (!(symbol in a)) return false;
  return true;
}

/** The class that a graph runs in. */
const classOf = (engine: Engine, { engineClass }: ModelOptions, graph: Graph<Constant>): EngineClass =>
  engineClass ?? engine.classFor(graph);

/** Compiles a graph to plans whose memory is within its limit, beside as many bytes of other graphs of the model. */
export function draftModel(
  graph: Graph<Constant>,
  registry: Registry,
  engine: Engine,
  options: ModelOptions,
  beside = 0,
): Draft {
  checkSymbols(graph.inputs);
  checkMaxima(options.maxima);
  const engineClass = classOf(engine, options, graph);
  const { maxima, taps = [], maxBytes } = options;
  const threads = threadsFor(options.threads ?? 1, engine.unsharable(engineClass));
  const common = { registry, engineClass, taps, threads: threads.threads };
  const planner = plannerOf(graph, { ...common, maxima });
  const planFor: Draft["planFor"] = (sizes, run, others) => {
    const plan = planner(sizes, run);
    checkLimit(plan, maxBytes, graph.name, planner, others);
    return plan;
  };
  const plan = planFor(maxima ?? {}, {}, beside);
  const within = graph.nodes.flatMap(bodiesOf);
  const draftOf = (body: Graph<Constant>, taken: number) =>
    draftModel(body, registry, engine, ofBody(options), taken);
  const taken = beside + plan.memory.totalBytes;
  const bodies = within.length > 0 ? loadedRunSizes().draftsOf(within, draftOf, taken) : undefined;
  return { plan, planFor, threads, bodies };
}

/** Options for graphs within a graph. */
const ofBody = (options: ModelOptions): ModelOptions => ({ ...options, maxima: {}, taps: [], threads: 1 });

/** Compiles the wasm that a draft needs, without blocking: all, where only a run plans some of its steps. */
export async function prepareDraft(engine: Engine, draft: Draft | undefined): Promise<void> {
  if (!draft) return;
  const { plan, bodies } = draft;
  await engine.prepare(plan.engineClass, plan.threads > 1, plan.open ? undefined : kernelsOf(plan));
  for (const draft of bodies?.values() ?? []) await prepareDraft(engine, draft);
}

/** Compiles a graph and loads it, without blocking on the compilation of wasm. */
export async function createModel(
  graph: Graph,
  registry: Registry,
  engine: Engine,
  options: ModelOptions = {},
): Promise<Model> {
  const draft = draftModel(graph, registry, engine, options);
  await prepareDraft(engine, draft);
  const model = new Model(graph, registry, engine, options, draft);
  await model.started;
  return model;
}
