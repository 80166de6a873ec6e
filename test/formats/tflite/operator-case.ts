// One operator in a file of its own, with what it gives.

import { expect } from "vitest";
import type { Graph } from "../../../src/graph/graph";
import { sizeOf, tensor } from "../../../src/graph/tensor";
import { loadSync } from "../../../src/index";
import { importTflite } from "../../../src/tflite";
import type { Real, Scale } from "./oracle";
import {
  type FileOperator,
  type FileOptions,
  type FileTensor,
  type FileType,
  tfliteFile,
} from "./tflite-file";

/** An operand: fed at run time where it is no constant. */
export interface Operand extends FileTensor {
  readonly type?: FileType;
  readonly feed?: readonly number[];
}

export interface Result {
  readonly type?: FileType;
  readonly expected: Real;
  readonly codes?: Scale;
}

export interface OperatorCase {
  readonly name: string;
  /** Code of the builtin operator. */
  readonly code: number;
  /** Null where an operand is left out. */
  readonly inputs: readonly (Operand | null)[];
  readonly outputs: readonly Result[];
  readonly options?: FileOptions;
  /** Of the largest number; of codes, how far they may be. */
  readonly tolerance?: number;
}

export const fed = ({ shape, data }: Real, type: FileType = "f32"): Operand => ({ shape, type, feed: data });
export const constant = ({ shape, data }: Real, type: FileType = "f32"): Operand => ({ shape, type, data });
export const list = (...data: readonly number[]): Operand => ({ shape: [data.length], type: "i32", data });
export const scalar = (value: number, type: FileType = "i32"): Operand => ({
  shape: [],
  type,
  data: [value],
});

const typeOfCodes = ({ min }: Scale): FileType => (min < -128 ? "i16" : min < 0 ? "i8" : "u8");

/** Codes of one scale, of the type that has room for the least. */
export const coded = (operand: Operand, { scale, zero, min, max }: Scale): Operand => ({
  ...operand,
  type: typeOfCodes({ scale, zero, min, max }),
  scale: [scale],
  zeroPoint: [zero],
});

/** Numbers of an output, and those of a file's codes. */
const typeOf = ({ type, codes }: Result): FileType => type ?? (codes ? typeOfCodes(codes) : "f32");

/** The file of a case, the feeds in the order of its inputs, and its results. */
export function fileOf({ code, inputs, outputs, options }: OperatorCase): Uint8Array {
  const there = inputs.filter((operand) => operand !== null);
  const results = outputs.map((result, i): FileTensor => {
    const { expected, codes } = result;
    const scale = codes && { scale: [codes.scale], zeroPoint: [codes.zero] };
    return { shape: expected.shape, type: typeOf(result), name: `y${i || ""}`, ...scale };
  });
  let next = 0;
  const operator: FileOperator = {
    code,
    inputs: inputs.map((operand) => (operand === null ? -1 : next++)),
    outputs: results.map((_, i) => there.length + i),
    ...(options && { options }),
  };
  return tfliteFile({
    tensors: [...there.map((operand, i) => ({ name: `x${i}`, ...operand })), ...results],
    operators: [operator],
    inputs: there.flatMap(({ feed }, i) => (feed ? [i] : [])),
    outputs: results.map((_, i) => there.length + i),
  });
}

const held = { f32: "f32", f16: "f32", i32: "i32", i64: "i32", i16: "i32", i8: "i8", u8: "u8", bool: "bool" };

/** The elements that a graph gives for the feeds of a case. */
export function answersOf(graph: Graph, { inputs }: OperatorCase): ArrayLike<number>[] {
  const model = loadSync(graph, { engineClass: "baseline" });
  try {
    const given = inputs.flatMap((operand) => (operand?.feed ? [operand] : []));
    const feeds = model.inputs.map(({ name }, i) => {
      const { feed, shape, type = "f32" } = given[i]!;
      const dtype = held[type as keyof typeof held] as "f32";
      return [name, tensor(dtype, shape.length === 0 && sizeOf(shape) === 1 ? [] : shape, feed!)] as const;
    });
    const results = model.runSync(Object.fromEntries(feeds));
    return model.outputs.map(({ name }) => Array.from(results[name]!.data));
  } finally {
    model.dispose();
  }
}

/** Imports and runs the file of a case, and compares: floats by the largest, all else by the code. */
export function checkCase(own: OperatorCase): void {
  const answers = answersOf(importTflite(fileOf(own), { name: own.name }), own);
  for (const [i, result] of own.outputs.entries()) {
    const { expected, codes } = result;
    expect(answers[i]!.length, "elements").toBe(expected.data.length);
    const isFloat = typeOf(result) === "f32";
    const largest = Math.max(1e-30, ...expected.data.map(Math.abs));
    const most = isFloat ? (own.tolerance ?? 1e-5) * largest : (own.tolerance ?? (codes ? 1 : 0));
    for (const [j, value] of expected.data.entries())
      if (!(Math.abs(answers[i]![j]! - value) <= most))
        expect.fail(`output ${i}, element ${j}: ${answers[i]![j]} instead of ${value}`);
  }
}
