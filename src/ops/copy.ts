// Steps that move elements without computing: what Transpose, Slice, Pad, Expand, Concat and Split become. A copy is
// a list of loops, each with its strides in both arrays; the order of a layout is only another choice of strides.

import type { Node } from "../graph/graph";
import { type Dim, multiplyDims, type Shape } from "../graph/symbols";
import { bytesPerElement, type DType } from "../graph/tensor";
import { codeOf, perTensor, sameCodes } from "./codes";
import { type Address, behind, type Layout, type Lowering, NONE, opError, type Unit } from "./op";

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

/** The place `elements` further on. Throws when that is only known at run time. */
export function shifted(node: Node, address: Address | typeof NONE, elements: Dim, dtype: DType): Address {
  if (address === NONE || typeof elements !== "number")
    throw opError(node, "where its elements lie depends on a symbol", {
      expected: "fixed sizes along the axis and after it",
      got: String(elements),
      hint: "Fix the symbol when importing (options.symbols)",
    });
  return behind(address, elements * bytesPerElement[dtype]);
}

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
/** Loops of the strided kernels; a deeper copy is several steps. */
const MAX_LOOPS = 4;
/** Steps that one copy may become. */
const MAX_STEPS = 64;

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
  const last = rest.at(-1) ?? { extent: 1, y: 1, x: 1 };
  if (rest.length <= 2 && last.y === 1 && last.x === 1) {
    const rows = rest.length === 2 ? rest[0]! : IDLE;
    const bytes = (elements: Dim) => multiplyDims(elements, size);
    c.emit("copyRows", [y, bytes(rows.y), x, bytes(rows.x), bytes(last.extent)], rows.extent);
    return;
  }
  const transposed = transposition(rest);
  if (transposed) {
    const { batch, rows, cols } = transposed;
    c.emit(size === 1 ? "transpose8" : "transpose32", [y, x, rows, cols], batch);
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
        shifted(node, y, multiplyDims(outer.y, i), dtype),
        shifted(node, x, multiplyDims(outer.x, i), dtype),
        inner,
      );
    return;
  }
  const [d0, d1, d2, d3] = [...new Array<Loop>(MAX_LOOPS - rest.length).fill(IDLE), ...rest] as [
    Loop,
    Loop,
    Loop,
    Loop,
  ];
  c.emit(
    size === 1 ? "copyStrided8" : "copyStrided32",
    [y, x, d1.extent, d2.extent, d3.extent, d0.y, d1.y, d2.y, d3.y, d0.x, d1.x, d2.x, d3.x],
    d0.extent,
  );
}

/** [batch][rows][cols] → [batch][cols][rows], when that is what the loops do. */
function transposition(loops: readonly Loop[]): { batch: Dim; rows: Dim; cols: Dim } | undefined {
  if (loops.length !== 2 && loops.length !== 3) return undefined;
  const [a, b] = loops.slice(-2) as [Loop, Loop];
  if (b.y !== 1 || a.x !== 1 || a.y !== b.extent || b.x !== a.extent) return undefined;
  const batch = loops.length === 3 ? loops[0]! : IDLE;
  const area = multiplyDims(a.extent, b.extent);
  if (loops.length === 3 && (batch.y !== area || batch.x !== area)) return undefined;
  return { batch: batch.extent, rows: b.extent, cols: a.extent };
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
export const walkable = (layout: Layout = "plain"): Layout => (layout.startsWith("flat:") ? "plain" : layout);
