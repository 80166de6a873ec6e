// Functions of several values of one dtype, whichever that is, broadcast in every way.

import { BYTE, INTEGER, REAL, SIGNED_BYTE } from "../../../assembly/elementwise/types";
import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, formatShape, multiplyDims } from "../../graph/symbols";
import { allocate, bytesPerElement, type DType } from "../../graph/tensor";
import { broadcastLayout, broadcastTypes, evaluateBinary, inMemory, isWithin } from "../broadcast";
import { heldAbove } from "../codes";
import { type Address, behind, type Layout, type Lowering, type Op, opError, type Unit } from "../op";
import { sizesIn } from "../sizes";
import type { PlainRule } from "../steps";

/** What kernels call a dtype. */
export const typeOf: Readonly<Record<DType, number>> = {
  f32: REAL,
  i32: INTEGER,
  u8: BYTE,
  bool: BYTE,
  i8: SIGNED_BYTE,
};

export const INTEGERS: readonly DType[] = ["i32", "i8", "u8"];
export const NUMBERS: readonly DType[] = ["f32", ...INTEGERS];
export const BOOLS: readonly DType[] = ["bool"];
export const ALL: readonly DType[] = [...NUMBERS, "bool"];

/** Kernels of two operands, and the one of three. */
export type Kernel =
  | "bitAnd"
  | "bitOr"
  | "bitXor"
  | "broadcastAdd"
  | "broadcastDiv"
  | "broadcastMul"
  | "broadcastSub"
  | "equal"
  | "fmod"
  | "integerPowerOfReal"
  | "less"
  | "lessOrEqual"
  | "maximum"
  | "minimum"
  | "modulo"
  | "pRelu"
  | "power"
  | "select"
  | "shiftLeft"
  | "shiftRight";

/** A value in memory. */
export interface Operand extends ValueType {
  readonly at: Address;
}

/** The same steps through the result and through each operand, which walks a loop or repeats its elements there. */
interface Loop {
  readonly extent: Dim;
  readonly walks: readonly boolean[];
}

/** Loops of the kernels. */
const LOOPS = 5;
/** Steps that one node may become where it has more loops. */
const MAX_STEPS = 64;

/**
 * Loops through a result in the order of memory, neighbours that all operands walk alike as one. A size that is neither 1 nor the result's
 * is one of these in a run: its loop stays alone.
 */
export function loopsOf({ shape }: ValueType, operands: readonly ValueType[], layout: Layout): Loop[] {
  const own = operands.map((operand) => inMemory(operand.shape, shape.length, layout));
  const loops: Loop[] = [];
  let isOpen = false;
  for (const [axis, extent] of inMemory(shape, shape.length, layout).entries()) {
    if (extent === 1) continue;
    const walks = own.map((dims) => dims[axis] !== 1);
    const outer = loops.at(-1);
    const wasOpen = isOpen;
    isOpen = own.some((dims) => dims[axis] !== 1 && dims[axis] !== extent);
    if (outer && !isOpen && !wasOpen && `${outer.walks}` === `${walks}`)
      loops[loops.length - 1] = { walks, extent: multiplyDims(outer.extent, extent) };
    else loops.push({ extent, walks });
  }
  return loops;
}

/** Emits y = kernel(operands), which are of `type` in the kernel's eyes. */
export function emitBroadcast(
  node: Node,
  c: Lowering,
  kernel: Kernel,
  type: DType,
  y: Operand,
  operands: readonly Operand[],
  layout: Layout,
): void {
  for (const { shape } of operands)
    if (!isWithin(shape, y.shape)) sizesIn(`${node.op} "${node.name}"`, [...shape, ...y.shape]);
  const emit = ([first, ...rest]: readonly Loop[], at: readonly Address[]): void => {
    if (rest.length >= LOOPS) {
      if (typeof first!.extent !== "number" || first!.extent > MAX_STEPS)
        throw opError(node, "this broadcast is not supported", {
          got: operands.map(({ shape }) => formatShape(shape)).join(" and "),
        });
      for (let i = 0; i < first!.extent; i++)
        emit(
          rest,
          [y, ...operands].map(({ dtype }, k) => {
            const isWalked = (loop: Loop) => k === 0 || loop.walks[k - 1]!;
            const inside = countOf(rest.filter(isWalked).map(({ extent }) => extent));
            const bytes = isWalked(first!) ? multiplyDims(inside, i * bytesPerElement[dtype]) : 0;
            return behind(at[k]!, bytes);
          }),
        );
      return;
    }
    const gap = new Array<Loop>(LOOPS - 1 - rest.length).fill({ extent: 1, walks: [] });
    const loops = [first ?? { extent: 1, walks: [] }, ...gap, ...rest];
    let walks = 0;
    for (const [k] of operands.entries())
      for (const [i, loop] of loops.entries()) if (loop.walks[k]) walks |= 1 << (k * LOOPS + i);
    const args = [...at, typeOf[type], walks, ...loops.slice(1).map(({ extent }) => extent)];
    c.emit(kernel as "bitAnd", args as never, loops[0]!.extent);
  };
  emit(
    loopsOf(y, operands, layout),
    [y, ...operands].map(({ at }) => at),
  );
}

/** The operands of a unit in memory. */
export const operandsOf = ({ inputs }: Unit, c: Lowering): Operand[] =>
  inputs.map((value) => ({ ...c.type(value), at: c.input(value) }));

/** Where its result goes: over an operand that is as large, where that is read once. */
export function resultOf({ inputs, outputs }: Unit, c: Lowering, mayTake: readonly number[] = []): Operand {
  const [y] = outputs as [string];
  const type = c.type(y);
  const isTaken = (i: number) => formatShape(c.type(inputs[i]!).shape) === formatShape(type.shape);
  const over = mayTake.find(isTaken);
  return { ...type, at: c.output(y, over === undefined ? undefined : inputs[over]) };
}

export function checkType(node: Node, dtype: DType, expected: readonly DType[]): void {
  if (!expected.includes(dtype))
    throw opError(node, "element type does not fit", { expected: expected.join(", "), got: dtype });
}

/**
 * Refuses integers of which all are known, but not what is computed of them: i32 does not hold that, and int64 would, or a divisor
 * is 0.
 */
function checkHeld({ node, inputs }: Unit, c: Lowering): void {
  if (inputs.every((value) => c.constant(value)) && c.type(inputs[0]!).dtype === "i32")
    throw opError(node, "its result does not fit i32, or is none");
}

interface Rules extends Partial<Op> {
  readonly kernel: Kernel | ((node: Node, dtype: DType) => Kernel);
  readonly dtypes: readonly DType[];
  /** Its results are true or false. */
  readonly tests?: true;
  /** The kernel takes the operands in the other order. */
  readonly turned?: true;
}

/** An op that is y = f(a, b). */
// @__NO_SIDE_EFFECTS__
export function pairwise({ kernel, dtypes, tests, turned, ...rules }: Rules): Op {
  return {
    inputs: 2,
    infer(node, inputs) {
      const type = broadcastTypes(node, inputs, 2);
      checkType(node, type.dtype, dtypes);
      return [tests ? { ...type, dtype: "bool" } : type];
    },
    rows: true,
    layout: broadcastLayout,
    lower(unit, c) {
      const { node, outputs } = unit;
      checkHeld(unit, c);
      const operands = operandsOf(unit, c);
      const { dtype } = operands[0]!;
      const y = resultOf(unit, c, tests ? [] : [0, 1]);
      const own = typeof kernel === "string" ? kernel : kernel(node, dtype);
      emitBroadcast(node, c, own, dtype, y, turned ? operands.reverse() : operands, c.layout(outputs[0]!));
    },
    ...rules,
  };
}

/** Bits of known integers. */
export const evaluateBits =
  (of: (a: number, b: number) => number): NonNullable<Op["evaluate"]> =>
  (node, inputs) =>
    evaluateBinary(node, inputs, (a, b) =>
      typeof a === "number" && typeof b === "number" ? of(a, b) : undefined,
    );

/** A number as an operand. */
export function scalar(c: Lowering, dtype: DType, value: number): Operand {
  const held = allocate(dtype === "i8" ? "u8" : dtype, 1);
  held[0] = value + heldAbove(dtype);
  return { dtype, shape: [], at: c.data(held) };
}

/** y = f(f(a, b), c) … of any number of operands. */
export function emitAll(unit: Unit, c: Lowering, kernel: Kernel): Operand {
  const { node, outputs } = unit;
  const [first, second, ...others] = operandsOf(unit, c) as [Operand, Operand, ...Operand[]];
  // Another operand may be read after the first step has written.
  const y = resultOf(unit, c, others.length === 0 ? [0, 1] : []);
  let left = first;
  for (const right of [second, ...others]) {
    emitBroadcast(node, c, kernel, y.dtype, y, [left, right], c.layout(outputs[0]!));
    left = y;
  }
  return y;
}

/** Loops of the core's kernels. */
const CORE_LOOPS = 3;

/** Sums, differences, products and quotients of integers, and of floats that are broadcast with more loops than the core has. */
export const plainArithmetic: PlainRule = (node, rewrite, types) => {
  const operands = node.inputs.map((value) => types.get(value)!);
  const y = types.get(node.outputs[0]!)!;
  const layouts = y.shape.length > 2 ? (["plain", "channelsLast"] as const) : (["plain"] as const);
  if (y.dtype !== "f32" || layouts.some((layout) => loopsOf(y, operands, layout).length > CORE_LOOPS))
    rewrite.replace(node, { ...node, op: `Broadcast${node.op}` });
};
