// octette/create-toolkit: ops of one's own. What they have to say is checked here, so that a slip is an error that names it.

import type { WasmSource } from "../engine/classes";
import { OctetteError } from "../errors";
import type { Conversion } from "../formats/onnx/source";
import type { Dim } from "../graph/symbols";
import type { Address, CodeFlow, Lowering, Op, Traits, Unit } from "../ops/op";
import { toolkitOps } from "../ops/toolkit";
import { checkOptions, type Names } from "../options";
import type { Rule } from "../train/gradients/rule";
import { Toolkit } from "./toolkit";

export { OctetteError } from "../errors";
export type { ElementKind } from "../formats/elements";
export type {
  Conversion,
  Parts,
  Piece,
  Sequence,
  Source,
  Subgraph,
  Surroundings,
} from "../formats/onnx/source";
export type { StoredKind } from "../formats/onnx/tensor-proto";
export { countOf } from "../graph/symbols";
export type { Acted, Host } from "../ops/act";
export type {
  Address,
  Batched,
  Buffer,
  CodeFlow,
  Content,
  Control,
  GraphTypes,
  Known,
  Layouts,
  Lowering,
  NamedConstant,
  Quantization,
  Size,
  Traits,
  Unit,
} from "../ops/op";
export type { Backward, Rule } from "../train/gradients/rule";
export type { Toolkit };

/** An argument of a kernel: a place in memory, 0 where it is left out, or a number, which may depend on symbols. */
export type KernelArgument = Address | Dim;

/** What an op may ask of the compiler while it is lowered, with kernels by any name. */
export interface OwnLowering extends Omit<Lowering, "load" | "call" | "emit"> {
  /** Runs a kernel once, when the model is loaded, after this unit's staged content was copied. */
  load(kernel: string, args: readonly KernelArgument[]): void;
  /** Adds a step of a kernel that has no range. */
  call(kernel: string, args: readonly KernelArgument[]): void;
  /**
   * Adds a step over `count` units of the kernel's outermost output dimension. The kernel takes these arguments and then the range
   * `begin, end` of the units to do; `macs` counts multiply-adds, for profiles.
   */
  emit(kernel: string, args: readonly KernelArgument[], count: Dim, macs?: Dim): void;
}

/** An op of one's own: what running it needs, and its traits. */
export interface OwnOp extends Omit<Op, "lower" | "lowerInteger">, Traits {
  /** Float steps. */
  lower?(unit: Unit, c: OwnLowering): void;
  /** Steps over codes, where `codes` is not "none". */
  lowerInteger?(unit: Unit, c: OwnLowering): void;
}

/** What `createToolkit` adds. */
export interface OwnTables {
  /** Ops by the names that graphs have for them. Default: none. */
  readonly ops?: Readonly<Record<string, OwnOp>>;
  /**
   * What operators in files become: by "domain.Operator", or "Operator" for one of ONNX's own domain, an op that has the same
   * inputs, outputs and attributes, or a function that writes nodes. Default: none.
   */
  readonly conversions?: Readonly<Record<string, string | Conversion>>;
  /** Gradient rules by the names of ops. Without one, an op cannot stand between a loss and trained weights. Default: none. */
  readonly gradients?: Readonly<Record<string, Rule>>;
  /** Modules of kernels by any name: they import the memory as "env.memory". Default: none. */
  readonly wasm?: Readonly<Record<string, WasmSource>>;
}

const TABLES = { ops: 1, conversions: 1, gradients: 1, wasm: 1 } satisfies Names<OwnTables>;
const OP = {
  adds: 1,
  attributes: 1,
  clamp: 1,
  codes: 1,
  computable: 1,
  drops: 1,
  evaluate: 1,
  fusesAdd: 1,
  fusesClamp: 1,
  gradient: 1,
  homogeneous: 1,
  idle: 1,
  infer: 1,
  inputs: 1,
  layout: 1,
  lower: 1,
  lowerInteger: 1,
  moves: 1,
  onnx: 1,
  parameters: 1,
  reshapes: 1,
  rows: 1,
  softmax: 1,
  sums: 1,
  trained: 1,
} satisfies Partial<Names<OwnOp>>;

/** Every way to treat codes, and whether steps over codes are needed. */
const FLOWS: Readonly<Record<CodeFlow, boolean>> = {
  moves: true,
  pads: true,
  table: true,
  mean: true,
  sum: true,
  join: true,
  layer: true,
  recurrence: true,
  makes: false,
  reads: false,
  none: false,
};
const HINT = "docs/own-op.md, which README links to, says what each is for";

/**
 * A toolkit with ops of one's own beside octette's, for the option `toolkit` of importOnnx, load, save, quantize, tune and evaluate. A
 * device runs their models by `createRuntime({ …, Mine }, { …, mine })`.
 * @throws OctetteError "argument" that names the op and the part that is missing or does not fit.
 */
export function createToolkit(own: OwnTables): Toolkit {
  checkOptions("createToolkit", own, TABLES);
  const { ops = {}, conversions = {}, gradients = {}, wasm = {} } = own;
  for (const [name, op] of Object.entries(ops)) checkOp(name, op, gradients);
  const known = (name: string) => Object.hasOwn(ops, name) || Object.hasOwn(toolkitOps, name);
  for (const [name, rule] of Object.entries(gradients))
    if (!Object.hasOwn(ops, name) || typeof rule !== "function")
      throw wrong(`gradient of "${name}"`, "does not fit", "a function, for an op of `ops`", typeof rule);
  const converted = Object.entries(conversions).map(([operator, to]) => {
    if (typeof to === "function") return [operator, to] as const;
    if (!known(to))
      throw wrong(`conversion of "${operator}"`, "there is no such op", "an op, or a function", `${to}`);
    const renamed: Conversion = (source) => [source.node(source.attributes(), { op: to })];
    return [operator, renamed] as const;
  });
  const kernels = kernelsOf(wasm);
  const checking = Object.entries(ops).map(([name, op]) => [name, withChecks(name, op, kernels)] as const);
  return new Toolkit({
    ops: Object.fromEntries(checking),
    conversions: Object.fromEntries(converted),
    gradients,
    wasm,
  });
}

function checkOp(name: string, op: OwnOp, gradients: Readonly<Record<string, Rule>>): void {
  const where = `op "${name}"`;
  if (Object.hasOwn(toolkitOps, name)) throw wrong(where, "octette has an op of this name", "another name");
  checkOptions(where, op, OP);
  const is = (key: keyof OwnOp, kind: string) => typeof op[key] === kind;
  if (!is("infer", "function")) throw wrong(where, "infer is missing", "a function that gives types");
  for (const trait of ["codes", "homogeneous", "trained"] as const)
    if (!(trait in op))
      throw wrong(where, `trait ${trait} is missing`, "every trait that could be forgotten unnoticed");
  if (!Object.hasOwn(FLOWS, op.codes))
    throw wrong(where, "trait codes does not fit", Object.keys(FLOWS).join(", "), `${op.codes}`);
  if (FLOWS[op.codes] && !is("lowerInteger", "function"))
    throw wrong(where, `lowerInteger is missing, which codes "${op.codes}" needs`, "a function");
  if (!is("lower", "function") && !is("evaluate", "function"))
    throw wrong(where, "lower is missing", "lower, which calls kernels, or evaluate of an op that is folded");
  if (op.gradient === "none" && Object.hasOwn(gradients, name))
    throw wrong(where, 'has a gradient, though its trait says "none"', "one of the two");
}

/** Kernels of one's own, and how many arguments each takes. Modules that are read later are not looked into. */
function kernelsOf(wasm: Readonly<Record<string, WasmSource>>): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  for (const [name, source] of Object.entries(wasm)) {
    if (!(source instanceof Uint8Array || source instanceof WebAssembly.Module)) continue;
    try {
      const module =
        source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source as BufferSource);
      const memory = new WebAssembly.Memory({ initial: 16 });
      const { exports } = new WebAssembly.Instance(module, { env: { memory, signs: 0 } });
      for (const [kernel, value] of Object.entries(exports))
        if (typeof value === "function") known.set(kernel, value.length);
    } catch (cause) {
      throw wrong(
        `wasm.${name}`,
        "does not fit",
        "a module that imports env.memory",
        (cause as Error).message,
      );
    }
  }
  return known;
}

/** The op, which calls kernels of one's own with as many arguments as they take: wasm would take others for 0. */
function withChecks(name: string, op: OwnOp, kernels: ReadonlyMap<string, number>): Op & Traits {
  const RANGE = 2;
  const checking = (c: Lowering) =>
    new Proxy(c, {
      get(target, key) {
        const method: unknown = Reflect.get(target, key);
        if (typeof method !== "function") return method;
        return (...all: unknown[]) => {
          const [kernel, args] = all as [string, readonly KernelArgument[]];
          const takes = key === "emit" || key === "load" || key === "call" ? kernels.get(kernel) : undefined;
          const given = takes === undefined ? 0 : args.length + (key === "emit" ? RANGE : 0);
          if (takes !== undefined && given !== takes)
            throw wrong(`op "${name}"`, `kernel "${kernel}" takes other arguments`, `${takes}`, `${given}`);
          return method.apply(target, all);
        };
      },
    }) as unknown as OwnLowering;
  const { lower, lowerInteger, ...rest } = op;
  return {
    ...rest,
    ...(lower && { lower: (unit: Unit, c: Lowering) => lower.call(op, unit, checking(c)) }),
    ...(lowerInteger && {
      lowerInteger: (unit: Unit, c: Lowering) => lowerInteger.call(op, unit, checking(c)),
    }),
  };
}

const wrong = (where: string, what: string, expected: string, got?: string) =>
  new OctetteError(what, {
    code: "argument",
    where,
    expected,
    hint: HINT,
    ...(got === undefined ? {} : { got }),
  });
