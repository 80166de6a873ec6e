// Loads the compiled kernels over one memory and lends it out. An operand is a typed array whose byteOffset is
// its address; guard bytes on both sides catch a write outside it and poison whatever a kernel reads past it.

import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { expect } from "vitest";
import { probeRelaxedDot } from "../../src/engine/features";
import { groupModules } from "../../src/engine/group-modules";
import type { Kernels } from "../../src/ops/op";

export { fillInts, int, random } from "./random";

export type Common = Omit<Kernels, keyof Class | keyof Train>;
export type Train = typeof import("../../build/abi/train");
export type Quantizer = typeof import("../../build/abi/quantizer");
export type Class = typeof import("../../build/abi/class") &
  typeof import("../../build/abi/language-class") &
  typeof import("../../build/abi/recurrentInt8-class");
export type ClassName = "baseline" | "extmul" | "relaxed" | "relaxed, s8·s8";

export const memory = new WebAssembly.Memory({ initial: 1024, maximum: 1024 });

/** The exports of a module over that memory. */
function load<T>(file: string, signs = 0): T {
  const bytes = readFileSync(new URL(`../../build/${file}.wasm`, import.meta.url));
  const imports = { env: { memory, signs } as { memory: WebAssembly.Memory } };
  return instantiateSync(bytes, imports).exports as unknown as T;
}

/** The kernels that have one copy: those of the core and of all op groups. */
export const loadCommon = (): Common =>
  Object.assign(
    {},
    ...["common", ...Object.keys(groupModules).filter(isOfAll)].map((name) => load(`wasm/${name}`)),
  );
const isOfAll = (name: string) => !/(Baseline|Extmul|Relaxed)$/.test(name);
export const loadTrain = (): Train => load<Train>("wasm/train");
export const loadQuantizer = (): Quantizer => load<Quantizer>("wasm/quantizer");

const relaxedDot = probeRelaxedDot().cold;

/** The modules of a class: that of the core and those of groups. */
const loadClass = (nameOf: (group: string) => string, signs = 0): Class =>
  Object.assign({}, ...["", "language", "recurrentInt8"].map((group) => load<Class>(nameOf(group), signs)));
const named = (group: string, name: string) =>
  group === "" ? name : `${group}${name[0]!.toUpperCase()}${name.slice(1)}`;
/** Those of the relaxed class as they are, or with a dot product that is exact. */
const loadRelaxed = (how: "u8s8" | "s8s8", signs: number): Class =>
  relaxedDot === how
    ? loadClass((group) => `wasm/${named(group, "relaxed")}`, signs)
    : loadClass((group) => `test/${named(group, "relaxed")}-${how}`, signs);

/**
 * The int8 classes, for `describe.each`; the relaxed one for both ways in which engines read its second operand. Where this
 * engine's relaxed dot product is not exact in a way, the class has one that is (exact-dot.ts).
 */
export const classes: readonly { readonly name: ClassName; readonly kernels: Class }[] = [
  { name: "baseline", kernels: loadClass((group) => `wasm/${named(group, "baseline")}`) },
  { name: "extmul", kernels: loadClass((group) => `wasm/${named(group, "extmul")}`) },
  { name: "relaxed", kernels: loadRelaxed("u8s8", 0) },
  { name: "relaxed, s8·s8", kernels: loadRelaxed("s8s8", 128) },
];

const GUARD = 64;
/** As f32 −26711958, as u8 203, as i8 −53: nothing a sum survives unnoticed. */
const POISON = 0xcb;
const FIRST = 65536;

interface View<T> {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
}

let top = FIRST;
let lent: { readonly start: number; readonly end: number }[] = [];

/** Takes everything back. Call it before each test. */
export function reset(): void {
  top = FIRST;
  lent = [];
}

/** `length` elements, 16-byte aligned, between guards, poisoned as well until written. */
export function alloc<T>(view: View<T>, length: number): T {
  const start = top + GUARD;
  const end = start + length * view.BYTES_PER_ELEMENT;
  top = Math.ceil((end + GUARD) / 16) * 16;
  new Uint8Array(memory.buffer).fill(POISON, start - GUARD, end + GUARD);
  lent.push({ start, end });
  return new view(memory.buffer, start, length);
}

/** A copy of `values` in the kernels' memory. */
export function place<T extends { set(values: ArrayLike<number>): void }>(
  view: View<T>,
  values: ArrayLike<number>,
): T {
  const operand = alloc(view, values.length);
  operand.set(values);
  return operand;
}

/** Every guard byte since `reset()` is as it was; else the byte distance of the first broken one. */
export function brokenGuard(): string | undefined {
  const bytes = new Uint8Array(memory.buffer);
  for (const { start, end } of lent) {
    for (let i = 1; i <= GUARD; i++) {
      if (bytes[start - i] !== POISON) return `${i} bytes before the operand at ${start}`;
      if (bytes[end + i - 1] !== POISON) return `${i} bytes past the operand at ${start}..${end}`;
    }
  }
  return undefined;
}

/** Fills with f32 values in [lo, hi). */
export function fillFloats(target: Float32Array, next: () => number, lo: number, hi: number): Float32Array {
  for (let i = 0; i < target.length; i++) target[i] = lo + next() * (hi - lo);
  return target;
}

/** The same bytes; else the usual difference of values. Much faster than toEqual where they are the same. */
export function expectSame(got: ArrayBufferView, want: ArrayBufferView, what = ""): void {
  const view = (a: ArrayBufferView) => Buffer.from(a.buffer, a.byteOffset, a.byteLength);
  if (!view(got).equals(view(want))) expect(got, what).toEqual(want);
}
