// What the makers of nodes share: sets of types, attributes as they are written, shapes that broadcast, axes.

import type { Builder } from "./builder";
import type { ElementType } from "./elements";

/** Adds a node, and what it reads, to a model; false where this opset has no such operator. */
export type Maker = (b: Builder) => undefined | false;

export const floats: readonly ElementType[] = ["f32", "f32", "f32", "f16", "f64"];
export const integers: readonly ElementType[] = ["i32", "i64"];
export const narrow: readonly ElementType[] = ["i8", "u8", "i16", "u16", "u32", "u64"];
export const every: readonly ElementType[] = [
  ...floats,
  "i32",
  "i64",
  "i8",
  "u8",
  "i16",
  "u16",
  "u32",
  "u64",
  "bool",
];

export const float = (value: number) => ({ float: value });
export const ints = (list: readonly number[]) => ({ ints: list });

/** Attributes, some of them left out. */
export function some(b: Builder, attributes: Record<string, unknown>, share = 0.6) {
  return Object.fromEntries(Object.entries(attributes).filter(() => b.chance(share))) as never;
}

/** A shape that broadcasts with another one. */
export function partner(b: Builder, shape: readonly number[]): number[] {
  const result = shape
    .map((dim) => (b.chance(0.3) ? 1 : dim))
    .slice(b.chance(0.4) ? b.int(0, shape.length) : 0);
  return b.chance(0.1) ? [b.int(1, 3), ...result] : result;
}

export function broadcast(...shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const result: number[] = [];
  for (let i = 1; i <= rank; i++) {
    const dims = shapes.map((shape) => shape.at(-i) ?? 1).filter((dim) => dim !== 1);
    if (new Set(dims).size > 1) return undefined;
    result.unshift(dims[0] ?? 1);
  }
  return result;
}

/** Some axes of a rank, each once, some counted from the end, in any order. */
export function axesOf(b: Builder, rank: number, least = 0): number[] {
  const axes = Array.from({ length: rank }, (_, i) => i).filter(() => b.chance(0.5));
  while (axes.length < least && axes.length < rank) {
    const axis = b.int(0, rank - 1);
    if (!axes.includes(axis)) axes.push(axis);
  }
  if (b.chance(0.3)) axes.reverse();
  return axes.map((axis) => (b.chance(0.3) ? axis - rank : axis));
}

export const anyAxis = (b: Builder, rank: number) => b.int(-rank, rank - 1);
