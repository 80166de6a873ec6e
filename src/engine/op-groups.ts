// Op groups: ops, and the kernels that only they call, which a runtime imports when a model names one of them.

import { OctetteError } from "../errors";
import { nodesIn } from "../graph/bodies";
import type { Graph } from "../graph/graph";
import type { Constant } from "../graph/tensor";
import type { Registry } from "../ops/infer";
import type { Op } from "../ops/op";
import { importRunSizes } from "./run-sizes/import";
import { type Carried, Engine, type WasmSources } from "./wasm";

export interface OpGroup {
  /** Ops by the names that graphs have for them. */
  readonly ops: Registry;
  /** What lowers ops of other groups over codes, in place of their own rule. */
  readonly ofCodes?: Readonly<Record<string, Partial<Op>>>;
  /** Modules with the kernels that these ops call beside those of the runtime, each under a name of its own. */
  readonly wasm?: WasmSources;
}

/** A group that is not here yet. */
export interface LaterGroup {
  /** Names of its ops. */
  readonly names: readonly string[];
  /** Names of ops of other groups whose weights in groups, or tables of codes, it has kernels for. */
  readonly ofCodes?: readonly string[];
  /** Names of ops of other groups that it has the kernels for over codes. */
  readonly overCodes?: readonly string[];
  /** Whether ops of the core call its kernels: it is imported when a plan does. */
  readonly isCalled?: boolean;
  /** Imports it: called when a model names one of its ops, or by `preload`. */
  readonly load: () => Promise<OpGroup>;
}

/** The ops and modules of a runtime, with those of the groups that were imported. */
export class OpGroups {
  readonly #later: Readonly<Record<string, LaterGroup>>;
  readonly #loading = new Map<string, Promise<void>>();
  readonly #loaded = new Set<string>();
  #ofCodes: Readonly<Record<string, Partial<Op>>> = {};
  #ops: Registry;
  readonly #wasm: Carried;
  /** Compiles the modules, those that are added later, too. */
  readonly engine: Engine;

  constructor(ops: Registry, wasm: Carried, later: Readonly<Record<string, LaterGroup>>) {
    this.#ops = ops;
    this.#wasm = { ...wasm };
    this.#later = { ...later, sizes: { names: [], load: importSizes } };
    for (const [group, { isCalled }] of Object.entries(later))
      if (isCalled)
        Object.assign(this.#wasm, { [group]: () => this.#import(group).then(() => this.#wasm[group]) });
    this.engine = new Engine(this.#wasm);
  }

  get ops(): Registry {
    return this.#ops;
  }

  /** The same object whenever it is asked for: modules are added to it. */
  get wasm(): Carried {
    return this.#wasm;
  }

  /** Ops of a graph that are in a group that is not here, by the group. */
  #lackedBy(graph: Graph<Constant>): Map<string, Set<string>> {
    const nodes = nodesIn(graph);
    const lacked = new Map<string, Set<string>>();
    for (const [group, { names, ofCodes = [], overCodes = [] }] of Object.entries(this.#later)) {
      const ops = new Set(nodes.map(({ op }) => op).filter((op) => names.includes(op)));
      for (const op of ops) if (Object.hasOwn(this.#ops, op)) ops.delete(op);
      if (!this.#loaded.has(group))
        for (const { op, codes } of nodes) {
          const isOfCodes = () => !this.#ops[op]?.lowerInteger || codes!.inputs.some((p) => p?.groups);
          if (codes && (overCodes.includes(op) || (ofCodes.includes(op) && isOfCodes()))) ops.add(op);
        }
      if (ops.size > 0) lacked.set(group, ops);
    }
    return lacked;
  }

  /** Imports the groups that a graph needs; undefined where all are here. */
  loadFor(graph: Graph<Constant>): Promise<void> | undefined {
    const lacked = this.#lackedBy(graph);
    return lacked.size > 0 ? this.load([...lacked.keys()]) : undefined;
  }

  /** Imports what models need whose sizes only a run knows. */
  loadSizes(): Promise<void> {
    return this.load(["sizes"]);
  }

  /** Throws where a graph needs a group that is not here. */
  check(graph: Graph<Constant>): void {
    const lacked = this.#lackedBy(graph);
    if (lacked.size === 0) return;
    const groups = [...lacked.keys()].map((group) => `"${group}"`).join(", ");
    throw new OctetteError(`operators of groups that are not loaded: ${[...lacked].map(told).join("; ")}`, {
      code: "unsupported",
      where: graph.name,
      hint: `Call await preload(${groups}) once before, or take the asynchronous load()`,
    });
  }

  /** Imports groups, each once; all of them where none is named. */
  async load(groups: readonly string[]): Promise<void> {
    const all = Object.keys(this.#later);
    const unknown = groups.find((group) => !all.includes(group));
    if (unknown !== undefined)
      throw new OctetteError("unknown op group", {
        code: "argument",
        where: "preload",
        expected: all.join(", ") || "none: this runtime has all its ops from the start",
        got: `${unknown}`,
      });
    await Promise.all((groups.length > 0 ? groups : all).map((group) => this.#import(group)));
  }

  #import(group: string): Promise<void> {
    const known = this.#loading.get(group);
    if (known) return known;
    const loading = this.#later[group]!.load().then(
      ({ ops, ofCodes, wasm }) => {
        this.#loaded.add(group);
        this.#ofCodes = { ...this.#ofCodes, ...ofCodes };
        this.#ops = { ...this.#ops, ...ops };
        for (const [name, rule] of Object.entries(this.#ofCodes)) {
          const op = this.#ops[name];
          if (op) this.#ops = { ...this.#ops, [name]: { ...op, ...rule } };
        }
        Object.assign(this.#wasm, wasm);
      },
      (cause: unknown) => {
        this.#loading.delete(group);
        throw new OctetteError(`cannot be imported: ${(cause as Error).message}`, {
          code: "engine",
          where: `op group "${group}"`,
          hint: "Serve the script that the bundler made of it beside the others",
        });
      },
    );
    this.#loading.set(group, loading);
    return loading;
  }
}

const told = ([group, ops]: readonly [string, ReadonlySet<string>]) =>
  `${[...ops].sort().join(", ")} (${group})`;

/** What models need whose sizes only a run knows: a group without ops. */
async function importSizes(): Promise<OpGroup> {
  await importRunSizes();
  return { ops: {} };
}
