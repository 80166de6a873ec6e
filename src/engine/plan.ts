// A compiled model: steps over fixed addresses. Plain data, so that every thread can walk the same one.

import type { OctetteError } from "../errors";
import type { Node, ValueType } from "../graph/graph";
import { type Bindings, type Dim, valueAt } from "../graph/symbols";
import type { TypedArray } from "../graph/tensor";
import type { Layout } from "../ops/op";
import type { EngineClass } from "./wasm";

/** One kernel call: `kernel(...args, begin, end)` over the half-open range [0, count), or `kernel(...args)` without one. */
export interface Step {
  /** The node it came from, for profiles and errors. */
  readonly node: string;
  readonly kernel: string;
  /** Addresses and numbers, or dimensions that a run evaluates. */
  readonly args: readonly Dim[];
  readonly count: Dim | undefined;
  /** Multiply-adds it does. */
  readonly macs: Dim;
  /** Which of the arguments is scratch memory, of which every thread needs its own; −1 where none is. */
  readonly scratch: number;
  /** Bytes of the largest value it touches, for each unit of the count. */
  readonly bytes: number;
}

/**
 * What a dimension has to be. `some`: at least 1 where a node's output has elements, unless `otherwise` is. `equal`: as many as `otherwise`.
 * `size`: not below 0.
 */
export type NeedKind = "some" | "equal" | "fit" | "size";

/** A dimension that a run has to fit. */
export interface Need {
  readonly node: string;
  readonly dim: Dim;
  readonly otherwise: Dim;
  readonly elements: Dim;
  readonly kind: NeedKind;
  /** The part of the run that takes it to hold. */
  readonly part: number;
}

/** What is copied to memory: numbers the compiler computed, or a constant, which may still be in a file. */
export type Content =
  | { readonly numbers: TypedArray }
  | {
      readonly constant: string;
      /** Where the part of it begins that is copied, in bytes; 0 where it is left out. */
      readonly from?: number;
      readonly bytes: number;
      /** Codes that are held with their top bit flipped. */
      readonly isFlipped: boolean;
    };

/** Done once, as soon as its constants are there, groups in any order: copy, then run kernels that pack. */
export interface LoadGroup {
  readonly copies: readonly (Content & { readonly at: number })[];
  readonly calls: readonly {
    readonly kernel: string;
    readonly args: readonly number[];
    /** What its numbers have to be where it may return that they are not. */
    readonly expected?: string | undefined;
  }[];
}

export interface PlannedValue {
  readonly name: string;
  /** In ONNX's order; codes of an i8 value are held as u8 with the top bit flipped. */
  readonly type: ValueType;
  readonly layout: Layout;
  /** A dimension where it lies within another value. */
  readonly address: Dim;
}

/**
 * Steps, [from, to), that a session runs by a name. Entries run in their order; one that repeats may run again before the
 * next one does, and none needs those before it whose values it does not read. Constants and state are those of all.
 */
export interface PlanEntry {
  readonly from: number;
  readonly to: number;
}

/** Nodes that are run by a name. */
export interface NamedNodes {
  readonly name: string;
  readonly nodes: readonly Node[];
  /** They may run again before the next ones do: what they read of others stays as it is. */
  readonly repeats?: boolean;
}

/** Between two steps the host computes the outputs of a node from its inputs. */
export interface Pause {
  readonly node: Node;
  readonly inputs: readonly PlannedValue[];
  readonly outputs: readonly PlannedValue[];
}

/** The entry of the steps before a pause, or after the last one. */
export const partOf = (pause: number): string => `run ${pause}`;

export interface Plan {
  readonly engineClass: EngineClass;
  /** Threads there is scratch for; the memory of more than one is shared. */
  readonly threads: number;
  /** Largest value of every symbol. */
  readonly maxima: Readonly<Record<string, number>>;
  /** It ends where a run finds these sizes: no plan of all steps can be made before. */
  readonly open?: readonly string[];
  /** Outputs of the whole graph, where the plan ends before them: with `open`. */
  readonly results?: readonly { readonly name: string; readonly type: ValueType }[];
  /** Sizes that it is made for alone: numbers that kernels take, and symbols that are equal to other sizes. */
  readonly sizes: Readonly<Record<string, Dim>>;
  /** Why the sizes that it is made for do not fit, where some of them are only tried: no run has just these. */
  readonly misfit?: OctetteError | undefined;
  /** Symbol that counts independent rows, so that a run of more than the maximum can be cut into parts. */
  readonly batch?: string | undefined;
  readonly inputs: readonly PlannedValue[];
  readonly outputs: readonly PlannedValue[];
  readonly taps: readonly PlannedValue[];
  /** What steps write to and keep from run to run; nothing is loaded there. */
  readonly state: readonly PlannedValue[];
  /** Those that plans for all sizes share. */
  readonly loads: readonly LoadGroup[];
  /** Those of this plan alone, which are loaded before it runs in place of another. */
  readonly own: readonly LoadGroup[];
  readonly steps: readonly Step[];
  readonly needs: readonly Need[];
  /** In their order; where there are some, the steps between them are entries of their own. */
  readonly pauses: readonly Pause[];
  /** By name: `run` of a model, others of a training step. */
  readonly entries: Readonly<Record<string, PlanEntry>>;
  readonly memory: {
    readonly constantBytes: number;
    readonly arenaBytes: number;
    /** Scratch memory of the threads after the first: contiguous from `scratchAt`, `scratchBytes` each. */
    readonly scratchAt: number;
    readonly scratchBytes: number;
    /** Size of the wasm memory, a multiple of its page. */
    readonly totalBytes: number;
  };
}

/**
 * Makes plans of one graph for maxima. The rows of a batch that can be cut are never more than those of the options. What could be equal
 * is, but for sizes of `run` that are not.
 */
export type Planner = (maxima?: Bindings, run?: Bindings) => Plan;

/** A step with its kernel bound and its arguments evaluated for the current symbols. */
export interface Ready {
  readonly step: Step;
  readonly call: (...args: number[]) => unknown;
  readonly args: number[];
}

/** Names of the kernels that loading and running a plan call. */
export const kernelsOf = ({ loads, steps }: Plan): Set<string> =>
  new Set([...loads.flatMap(({ calls }) => calls), ...steps].map(({ kernel }) => kernel));

/**
 * Whether a plan has room for sizes, and is made for those that it does not take as they come. A size that is to be equal to one which the
 * run has not found yet may be.
 */
export const isFor = ({ maxima, sizes, open = [], misfit }: Plan, bindings: Bindings): boolean =>
  !misfit &&
  Object.entries(bindings).every(([symbol, size]) => {
    // NaN where it is not known.
    const other = Object.hasOwn(sizes, symbol) && valueAt(sizes[symbol]!, { ...maxima, ...bindings }) - size;
    return !other && size <= (maxima[symbol] ?? size) && !open.includes(symbol);
  });
