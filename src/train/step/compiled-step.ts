// A compiled training step whose scales move. Ops turn scales into arguments of kernels and contents of memory while they are
// lowered. When scales move, the units that read them are lowered once more, into the memory that they have: types, layouts,
// addresses and the order of steps stay, and only numbers change.

import { compile } from "../../engine/compile";
import { maximaFor } from "../../engine/feeds";
import { LoweringContext } from "../../engine/lowering";
import type { LoadGroup, Plan } from "../../engine/plan";
import type { EngineClass } from "../../engine/wasm";
import { type CodeParameters, type Node, readsOf } from "../../graph/graph";
import type { Dim } from "../../graph/symbols";
import type { Tensor, TypedArray } from "../../graph/tensor";
import { heldAbove, sumScales } from "../../ops/codes";
import type { Registry } from "../../ops/infer";
import type { Address, Op, Quantization, Unit } from "../../ops/op";
import { rowsOf } from "../ops/rows";
import { numberIn } from "../ops/scalar";
import { training } from "../training";
import { type Asked, type LoweredUnit, Recording, Repetition, type Scalar } from "./repeated-lowering";
import type { TrainingStep } from "./step";

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends TypedArray ? T[K] : Mutable<T[K]> };
type Lower = NonNullable<Op["lower"]>;

/** A unit that reads constants, what it took of the compiler, and how to lower it. */
interface Reader extends LoweredUnit {
  readonly unit: Unit;
  readonly lower: Lower;
}

export class CompiledStep {
  readonly plan: Omit<Plan, "steps" | "loads"> & Mutable<Pick<Plan, "steps" | "loads">>;
  /** With the numbers that they have now. */
  readonly constants: Map<string, Tensor>;
  /** Units that compute with the number of a constant, by its name. */
  readonly #readers = new Map<string, Reader[]>();
  readonly #scalars: Scalar[] = [];

  /** Compiles for batches of at most `batch` samples. */
  constructor(
    step: TrainingStep,
    batch: number,
    engineClass: EngineClass,
    registry: Registry = training.ops,
  ) {
    const { graph, state, entries, rounds } = step;
    this.constants = new Map(graph.constants);
    const recorded = Object.entries(registry).map(([name, op]) => [name, this.#recorded(op)] as const);
    this.plan = compile(graph, {
      registry: Object.fromEntries(recorded),
      engineClass,
      maxima: { ...maximaFor(graph.inputs, batch), ...(rounds && { [rowsOf(rounds.symbol)]: rounds.size }) },
      state,
      entries,
    }) as CompiledStep["plan"];
  }

  /**
   * Gives constants other numbers. Arguments of steps change in place; returns the load groups that changed. Returns undefined
   * where numbers decide what steps there are: a Concat converts codes of another scale than its own, and copies the others.
   */
  move(constants: ReadonlyMap<string, Tensor>): LoadGroup[] | undefined {
    for (const [name, constant] of constants) this.constants.set(name, constant);
    const { steps, loads } = this.plan;
    for (const { step, index, constant } of this.#scalars)
      steps[step]!.args[index] = numberIn(this.constants.get(constant)!);
    const isMoved = ({ copies }: LoadGroup) =>
      copies.some((copy) => "constant" in copy && constants.has(copy.constant));
    const changed = new Set(loads.filter(isMoved));
    const repetition = new Repetition(this.constants);
    for (const reader of new Set([...constants.keys()].flatMap((name) => this.#readers.get(name) ?? []))) {
      const { unit, lower, from, to } = reader;
      if (unit.integer) this.#renumber(unit.node, unit.integer);
      const asked = repetition.begin(reader);
      lower(unit, repetition);
      if (asked.steps.length !== to - from || asked.loads.length !== reader.loads.length) return undefined;
      for (let i = from; i < to; i++) {
        const { kernel, args } = asked.steps[i - from]!;
        if (kernel !== steps[i]!.kernel) return undefined;
        setNumbers(steps[i]!.args, args);
      }
      for (let i = 0; i < asked.loads.length; i++) {
        const group = loads[reader.loads[i]!]!;
        if (setLoad(group, asked.loads[i]!)) changed.add(group);
      }
    }
    return [...changed];
  }

  /** Gives a unit the scales and zero points that constants have now. */
  #renumber({ inputs, codes }: Node, integer: NonNullable<Unit["integer"]>): void {
    const [x, w] = integer.inputs;
    const set = (q: Quantization | undefined, p: CodeParameters | undefined) => {
      if (!q || !p || q.dynamic) return;
      const zeroPoint = this.constants.get(p.zeroPoint)?.data;
      // A bias has the scales of the layer's sums.
      const scale = this.constants.get(p.scale)?.data ?? sumScales(x!.scale[0]!, w!.scale);
      for (let i = 0; i < q.scale.length; i++) {
        q.scale[i] = scale[i]!;
        if (zeroPoint) q.zeroPoint[i] = zeroPoint[i]! + heldAbove(q.dtype);
      }
    };
    const own = { scale: inputs[1]!, zeroPoint: inputs[2] ?? "" };
    for (const [i, q] of integer.inputs.entries()) set(q, codes ? codes.inputs[i] : own);
    set(integer.output, codes ? codes.output : own);
  }

  /** An op that keeps what it takes. It does no Add of another node, whose scales would not be its own. */
  #recorded(op: Op): Op {
    const recorded =
      (lower: Lower): Lower =>
      (unit, c) => {
        if (!(c instanceof LoweringContext)) return lower(unit, c);
        const recording = new Recording(c);
        lower(unit, recording);
        const { lowered } = recording;
        const reader = { ...lowered, unit, lower };
        this.#scalars.push(...lowered.scalars);
        for (const name of unit.integer ? new Set(readsOf(unit.node)) : lowered.read)
          this.#readers.set(name, [...(this.#readers.get(name) ?? []), reader]);
      };
    return {
      ...op,
      fusesAdd: () => false,
      ...(op.lower && { lower: recorded((unit, c) => op.lower!(unit, c)) }),
      ...(op.lowerInteger && { lowerInteger: recorded((unit, c) => op.lowerInteger!(unit, c)) }),
    };
  }
}

/** Puts other numbers among arguments: addresses and dimensions stay. Returns whether one is another. */
function setNumbers(args: Dim[], now: readonly (Address | Dim)[]): boolean {
  let changed = false;
  for (let i = 0; i < now.length; i++) {
    const arg = now[i]!;
    if (typeof arg !== "number" || Object.is(arg, args[i])) continue;
    args[i] = arg;
    changed = true;
  }
  return changed;
}

/** The same of what a group loads. */
function setLoad({ copies, calls }: Mutable<LoadGroup>, now: Asked["loads"][number]): boolean {
  let changed = false;
  for (let i = 0; i < calls.length; i++) changed = setNumbers(calls[i]!.args, now.calls[i]!.args) || changed;
  for (let i = 0; i < copies.length; i++) {
    const [copy, content] = [copies[i]!, now.contents[i] as TypedArray];
    if (!("numbers" in copy) || hasSame(copy.numbers, content)) continue;
    copy.numbers = content;
    changed = true;
  }
  return changed;
}

/** Whether content has the numbers that were loaded; an array of a unit's scales is written to. */
function hasSame(numbers: TypedArray, content: TypedArray): boolean {
  if (numbers === content) return false;
  for (let i = 0; i < numbers.length; i++) if (!Object.is(numbers[i], content[i])) return false;
  return true;
}
