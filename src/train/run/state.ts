// What a checkpoint holds of a run: all that its steps write to, and the numbers of its best state.

import type { Tensor, TypedArray } from "../../graph/tensor";
import type { Trainer } from "./trainer";

/** By name, in place. */
export const stateOf = (trainer: Trainer, best: ReadonlyMap<string, Float32Array>): Map<string, TypedArray> =>
  new Map([
    ...trainer.states.map((name) => [name, trainer.state(name)] as const),
    ...[...best].map(([name, data]) => [`${name}.best`, data] as const),
  ]);

/** Each as a vector. */
export const asTensors = (state: ReadonlyMap<string, TypedArray>): Map<string, Tensor> =>
  new Map(
    [...state].map(([name, data]) => [name, { dtype: dtypeOf(data), shape: [data.length], data }] as const),
  );

const dtypeOf = (data: TypedArray) =>
  data instanceof Float32Array ? "f32" : data instanceof Int32Array ? "i32" : "i8";
