// Steps that move elements without computing: what Transpose, Slice, Pad, Expand, Concat and Split become. A copy is
// a list of loops, each with its strides in both arrays; the order of a layout is only another choice of strides.

import type { Node } from "../graph/graph";
import { type Dim, multiplyDims, type Shape } from "../graph/symbols";
import { bytesPerElement, type DType } from "../graph/tensor";
import { codeOf, perTensor, sameCodes } from "./codes";
import { flatChannels } from "./layout";
import {
  type Address,
  behind,
  type Layout,
  type Lowering,
  NONE,
  opError,
  type StepArguments,
  type Unit,
} from "./op";

/** One loop: how often, and the distance between neighbours in both arrays, in elements. */
export interface Loop {
  readonly extent: Dim;
  readonly y: Dim;
  readonly x: Dim;
}

/** Axes in the order they have in memory, outermost first. */
export function memoryOrder(rank: number, layout: Layout): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return layout === "channelsLast" && rank > 2 ? [0, ...axes.slice(2), 1] : axes;
}

/** Distance in elements between neighbours along each axis of a dense value. */
export function memoryStrides(shape: Shape, layout: Layout): Dim[] {
  const strides = new Array<Dim>(shape.length);
  let stride: Dim = 1;
  for (const axis of memoryOrder(shape.length, layout).reverse()) {
    strides[axis] = stride;
    stride = multiplyDims(stride, shape[axis]!);
  }
  return strides;
}

/** The place `elements` further on. */
export const shifted = (address: Address, elements: Dim, dtype: DType): Address =>
  behind(address, multiplyDims(elements, bytesPerElement[dtype]));

/** Loops with neighbours joined that walk both arrays alike; loops of one round are left out. */
function merged(loops: readonly Loop[]): Loop[] {
  const kept: Loop[] = [];
  for (const loop of [...loops].reverse()) {
    if (loop.extent === 1) continue;
    const inner = kept[0];
    const joins =
      inner &&
      loop.y === multiplyDims(inner.y, inner.extent) &&
      loop.x === multiplyDims(inner.x, inner.extent);
    if (joins) kept[0] = { ...inner, extent: multiplyDims(loop.extent, inner.extent) };
    else kept.unshift(loop);
  }
  return kept;
}

/** Whether these loops copy an array onto itself, element by element. */
export function movesNothing(loops: readonly Loop[]): boolean {
  const rest = merged(loops);
  return rest.length === 0 || (rest.length === 1 && rest[0]!.y === 1 && rest[0]!.x === 1);
}

const IDLE: Loop = { extent: 1, y: 0, x: 0 };
/** Loops of the strided kernel; a deeper copy is several steps. */
export const MAX_LOOPS = 6;
/** Steps that one copy may become. */
const MAX_STEPS = 64;

/** Whether the two innermost loops turn a matrix. */
const isTurned = (loops: readonly Loop[]): boolean => loops.at(-1)!.y === 1 && loops.at(-2)?.x === 1;

/** Loops with the one that walks x element by element moved next to the innermost: a matrix that is turned is copied in blocks. */
function inBlocks(loops: readonly Loop[]): readonly Loop[] {
  const { x, y } = loops.at(-1)!;
  const turned = loops.find((loop) => loop.x === 1);
  if (!turned || y !== 1 || x === 1) return loops;
  return [...loops.filter((loop) => loop !== turned).slice(0, -1), turned, loops.at(-1)!];
}

/** Emits the steps of y[Σ i·loop.y] = x[Σ i·loop.x]. */
export function emitCopy(
  node: Node,
  c: Lowering,
  dtype: DType,
  y: Address,
  x: Address | typeof NONE,
  loops: readonly Loop[],
): void {
  const rest = merged(loops);
  if (rest.some((loop) => loop.extent === 0)) return;
  const size = bytesPerElement[dtype];
  const bytes = (elements: Dim) => multiplyDims(elements, size);
  const last = rest.at(-1) ?? { extent: 1, y: 1, x: 1 };
  if (rest.length <= 2 && last.y === 1 && last.x === 1) {
    const rows = rest.length === 2 ? rest[0]! : IDLE;
    c.emit("copyRows", [y, bytes(rows.y), x, bytes(rows.x), bytes(last.extent)], rows.extent);
    return;
  }
  if (rest.length > MAX_LOOPS) {
    const [outer, ...inner] = rest as [Loop, ...Loop[]];
    if (typeof outer.extent !== "number" || outer.extent > MAX_STEPS)
      throw opError(node, "too many dimensions are permuted at once", { expected: `at most ${MAX_LOOPS}` });
    for (let i = 0; i < outer.extent; i++)
      emitCopy(
        node,
        c,
        dtype,
        shifted(y, multiplyDims(outer.y, i), dtype),
        x === NONE ? NONE : shifted(x, multiplyDims(outer.x, i), dtype),
        inner,
      );
    return;
  }
  const ordered = inBlocks(rest);
  // Threads share the first loop: it is that of the kernel, unless a matrix has no other.
  const [first, ...others] = ordered.length > 2 || !isTurned(ordered) ? ordered : [IDLE, ...ordered];
  const idle = new Array<Loop>(MAX_LOOPS - 1 - others.length).fill(IDLE);
  const all = [first!, ...idle, ...others];
  const extents = all.slice(1).map(({ extent }) => extent);
  const strides = [...all.map((loop) => bytes(loop.y)), ...all.map((loop) => bytes(loop.x))];
  const args = [y, x, size, ...extents, ...strides] as unknown as StepArguments<"copyStrided">;
  c.emit("copyStrided", args, first!.extent);
}

/** An integer unit that moves codes needs one scale and zero point on both sides. */
export function requireSameCodes({ node, integer }: Unit): void {
  const [input, output] = [perTensor(integer?.inputs[0], node), perTensor(integer?.output, node)];
  if (!sameCodes(input, output))
    throw opError(node, "its codes would change", {
      expected: "the same scale and zero point before and after",
      hint: "Quantize it with the ranges of its input, or leave it float",
    });
}

/** The bits of a number as an element of a unit's output in memory: for codes, the code that means it. */
export function elementOf({ integer }: Unit, dtype: DType, value: number): number {
  if (integer) return codeOf(value, integer.output!);
  if (dtype === "i8") return value ^ 0x80;
  return dtype === "f32" ? new Int32Array(Float32Array.of(value).buffer)[0]! : value;
}

/** The layout as it is when strides can walk it, else plain. */
export const walkable = (layout: Layout = "plain"): Layout =>
  flatChannels(layout) === undefined ? layout : "plain";
