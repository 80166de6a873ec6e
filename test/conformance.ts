// ONNX's own operator tests (model.onnx, test_data_set_0/{input,output}_k.pb), listed by operator and loaded. They lie
// outside the repository: OCTETTE_DATA names their folder's parent, ../shared/data by default; absent, they are skipped.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { readOnnx } from "../src/formats/onnx/import";
import { readModel, readTensorProto, toTensor } from "../src/formats/onnx/proto";
import type { Graph } from "../src/graph/graph";
import type { Tensor } from "../src/graph/tensor";
import { dataFolder } from "./formats/fixtures";

export interface ConformanceCase {
  /** The folder's name, such as `test_conv_with_strides_padding`. */
  readonly name: string;
  /** Operators in it, each once; `domain.op` outside ONNX's own domain. */
  readonly ops: readonly string[];
  load(): LoadedCase;
}

export interface LoadedCase {
  readonly graph: Graph;
  readonly feeds: Record<string, Tensor>;
  readonly expected: Record<string, Tensor>;
}

/** Every case there is; none where the folder is absent. */
export function conformanceCases(): ConformanceCase[] {
  const folder = dataFolder && join(dataFolder, "conformance");
  if (!folder || !existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "model.onnx")))
    .sort()
    .map((name) => {
      const bytes = new Uint8Array(readFileSync(join(folder, name, "model.onnx")));
      const { graph } = readModel(bytes, name);
      const ops = graph.nodes.map(({ domain, opType }) =>
        domain === "" || domain === "ai.onnx" ? opType : `${domain}.${opType}`,
      );
      return { name, ops: [...new Set(ops)], load: () => loadCase(join(folder, name), bytes, name) };
    });
}

function loadCase(folder: string, bytes: Uint8Array, name: string): LoadedCase {
  const graph = readOnnx(bytes, { name });
  const read = (names: readonly string[], kind: "input" | "output") =>
    Object.fromEntries(
      names.map((value, i) => {
        const file = join(folder, "test_data_set_0", `${kind}_${i}.pb`);
        return [value, toTensor(readTensorProto(new Uint8Array(readFileSync(file)), file))];
      }),
    );
  const inputs = graph.inputs.map((input) => input.name);
  return { graph, feeds: read(inputs, "input"), expected: read(graph.outputs, "output") };
}

/** The case with some of its feeds as constants: for operators whose parameters must be known before a run. */
export function freezeInputs({ graph, feeds, expected }: LoadedCase, names: readonly string[]): LoadedCase {
  const frozen = names.map((name) => [name, feeds[name]!] as const);
  return {
    graph: {
      ...graph,
      inputs: graph.inputs.filter(({ name }) => !names.includes(name)),
      constants: new Map([...graph.constants, ...frozen]),
    },
    feeds: Object.fromEntries(Object.entries(feeds).filter(([name]) => !names.includes(name))),
    expected,
  };
}

/** ONNX's own tolerance for node tests. */
const RTOL = 1e-3;
const ATOL = 1e-5;

/** |a − b| ≤ 1e-5 + 1e-3·|b| for floats, equality for all else. */
export function expectConforms(actual: Tensor | undefined, expected: Tensor, label: string): void {
  expect([actual?.dtype, actual?.shape], `${label}: dtype and shape`).toEqual([
    expected.dtype,
    expected.shape,
  ]);
  const tolerance = (b: number) => (expected.dtype === "f32" ? ATOL + RTOL * Math.abs(b) : 0);
  expected.data.forEach((b, i) => {
    const a = actual!.data[i]!;
    if (!Object.is(a, b) && !(Math.abs(a - b) <= tolerance(b)))
      expect.fail(`${label}: [${i}] is ${a} instead of ${b}`);
  });
}
