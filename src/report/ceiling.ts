/// <reference path="../wasm.d.ts" />

// How many multiply-adds this engine does with all sums in registers: the measure of every kernel.

import type * as Ceiling from "../../build/abi/ceiling";
import baselineBytes from "../../build/ceiling/baseline.wasm";
import extmulBytes from "../../build/ceiling/extmul.wasm";
import relaxedBytes from "../../build/ceiling/relaxed.wasm";
import type { EngineClass } from "../engine/wasm";

/** Multiply-adds of an engine class: their speed with all sums in registers. */
export type Arithmetic = "int8" | "f32";

/** Rounds of the loop in one call: 20 to 30 µs, so that few calls make it hot. */
const TURNS = 20_000;

/** Calls the loop of one kind of arithmetic once and returns its multiply-adds. */
export type CeilingLoop = (arithmetic: Arithmetic) => number;

/** The loops of a class, over a memory of their own that holds ones. */
export function createCeiling(engineClass: EngineClass): CeilingLoop {
  const bytes = { baseline: baselineBytes, extmul: extmulBytes, relaxed: relaxedBytes }[engineClass];
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  new Float32Array(memory.buffer).fill(1);
  const module = new WebAssembly.Module(bytes as BufferSource);
  const loops = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as typeof Ceiling;
  return (arithmetic) => TURNS * loops[arithmetic](0, TURNS);
}
