// Weights of language models for graphs of tests: constants of a layer or a table, and the code parameters that name them.

import type { CodeParameters, Graph } from "../../../src/graph/graph";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { fillInts, random } from "../../kernels/random";

export interface Weights {
  readonly constants: readonly (readonly [name: string, value: Tensor])[];
  readonly codes: CodeParameters;
}

export const KINDS = [
  "int8",
  "int4",
  "int4 with offsets",
  "blocks of 32",
  "blocks of 16 with offsets",
] as const;
export type Kind = (typeof KINDS)[number];

/** Weights [n, k] of the name "w". */
export function weightsOf(kind: Kind, n: number, k: number, seed = 1): Weights {
  const next = random(seed);
  const ints = (count: number, lo: number, hi: number) => fillInts(new Int32Array(count), next, lo, hi);
  const floats = (count: number) => Float32Array.from({ length: count }, () => 0.001 + next() / 100);
  const w = (lo: number, hi: number) => ["w", tensor("i8", [n, k], ints(n * k, lo, hi))] as const;
  const scale = ["w_scale", tensor("f32", [n], floats(n))] as const;
  if (kind === "int8")
    return {
      constants: [w(-127, 127), scale],
      codes: { scale: "w_scale", zeroPoint: "", axis: 0 },
    };
  const size = kind === "blocks of 16 with offsets" ? 16 : 32;
  const shape = [n, k / size];
  const count = (n * k) / size;
  if (kind.startsWith("blocks")) {
    const d = ["w_groups", tensor("f32", shape, floats(count))] as const;
    const m = ["w_offsets", tensor("f32", shape, floats(count))] as const;
    const groups = { size, scales: "w_groups", ...(size === 16 && { offsets: "w_offsets" }) };
    return {
      constants: [w(-128, 127), d, ...(size === 16 ? [m] : [])],
      codes: { scale: "", zeroPoint: "", axis: 0, groups },
    };
  }
  const scales = ["w_groups", tensor("i8", shape, ints(count, -127, 127))] as const;
  const offsets = ["w_offsets", tensor("i32", shape, ints(count, -900, 900))] as const;
  const groups = { size, scales: "w_groups" };
  const hasOffsets = kind === "int4 with offsets";
  return {
    constants: [w(-8, 7), scale, scales, ...(hasOffsets ? [offsets] : [])],
    codes: {
      scale: "w_scale",
      zeroPoint: "",
      axis: 0,
      groups: hasOffsets ? { ...groups, offsets: "w_offsets" } : groups,
    },
  };
}

/** Rows of tokens, quantized each by itself, times weights [n, k]. */
export function layerGraph(kind: Kind, n: number, k: number, hasBias = true): Graph {
  const { constants, codes } = weightsOf(kind, n, k);
  const next = random(5);
  const bias = tensor(
    "f32",
    [n],
    Array.from({ length: n }, () => next() - 0.5),
  );
  return {
    name: "layer",
    inputs: [{ name: "x", dtype: "f32", shape: [1, "tokens", k] }],
    outputs: ["y"],
    nodes: [
      {
        op: "DynamicQuantize",
        name: "quantize",
        inputs: ["x"],
        outputs: ["x_codes", "x_scale", "x_zero"],
        attributes: { axis: -1 },
      },
      {
        op: "Linear",
        name: "fc",
        inputs: hasBias ? ["x_codes", "w", "b"] : ["x_codes", "w"],
        outputs: ["y"],
        attributes: {},
        codes: { inputs: [{ scale: "x_scale", zeroPoint: "x_zero", axis: -1 }, codes] },
      },
    ],
    constants: new Map([...constants, ["b", bias]]),
    provenance: {},
  };
}
