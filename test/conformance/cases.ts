// ONNX's own operator tests (model.onnx, test_data_set_0/{input,output}_k.pb), listed by operator, and run through the public
// API. They lie outside the repository: OCTETTE_DATA names their folder's parent, ../shared/data by default.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readModel, readTensorProto, toTensor } from "../../src/formats/onnx/proto";
import type { Tensor } from "../../src/graph/tensor";
import { type Graph, importOnnx, loadSync, OctetteError } from "../../src/index";
import { dataFolder } from "../formats/fixtures";
import { fieldsOf, message } from "./protobuf";

export interface ConformanceCase {
  /** The folder's name, such as `test_conv_with_strides_padding`. */
  readonly name: string;
  /** Operators in it, each once; `domain.op` outside ONNX's own domain. */
  readonly ops: readonly string[];
  /** The file as it comes. */
  readonly model: Uint8Array;
  /** Names of what it takes, and of what it gives. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The message of input or output `index`. */
  tensor(kind: "input" | "output", index: number): Uint8Array;
}

const folder = dataFolder && join(dataFolder, "conformance");
const names = folder && existsSync(folder) ? readdirSync(folder).sort() : [];

/** Every case there is; none where the folder is absent. */
export const conformanceCases = (): ConformanceCase[] => names.map((name) => open(join(folder!, name), name));

/** Letters of an operator's name that every name of its cases has, too. */
const COMMON = 4;

/** The cases of these operators alone. */
export function casesOf(ops: readonly string[]): ConformanceCase[] {
  const starts = ops.map((op) => op.toLowerCase().slice(0, COMMON));
  const isLike = (name: string) =>
    starts.some((start) => name.slice("test_".length).toLowerCase().replaceAll("_", "").startsWith(start));
  return names
    .filter(isLike)
    .map((name) => open(join(folder!, name), name))
    .filter((one) => one.ops.every((op) => ops.includes(op)));
}

function open(path: string, name: string): ConformanceCase {
  const model = new Uint8Array(readFileSync(join(path, "model.onnx")));
  const { graph } = readModel(model, name);
  const ops = graph.nodes.map(({ domain, opType }) =>
    domain === "" || domain === "ai.onnx" ? opType : `${domain}.${opType}`,
  );
  const namesOf = (values: readonly { readonly name: string }[]) => values.map((value) => value.name);
  return {
    name,
    ops: [...new Set(ops)],
    model,
    inputs: namesOf(graph.inputs),
    outputs: namesOf(graph.outputs),
    tensor: (kind, i) => new Uint8Array(readFileSync(join(path, "test_data_set_0", `${kind}_${i}.pb`))),
  };
}

/** Fields of onnx.proto. */
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const GRAPH_INPUT = 11;
const TENSOR_NAME = 8;

/** The file with all inputs from `first` on as constants: for operators whose parameters must be known before a run. */
export function freezeInputs({ model, inputs, tensor }: ConformanceCase, first: number): Uint8Array {
  const constants = inputs.slice(first).map((name, i) => {
    const named = message([{ field: TENSOR_NAME, content: new TextEncoder().encode(name) }]);
    return { field: GRAPH_INITIALIZER, content: concatenated([tensor("input", first + i), named]) };
  });
  return concatenated(
    fieldsOf(model).map(({ field, bytes, content }) => {
      if (field !== MODEL_GRAPH) return bytes;
      let seen = 0;
      const kept = fieldsOf(content).filter((part) => part.field !== GRAPH_INPUT || seen++ < first);
      const graph = concatenated([...kept.map((part) => part.bytes), message(constants)]);
      return message([{ field: MODEL_GRAPH, content: graph }]);
    }),
  );
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What the inputs or outputs of these names hold. */
export function tensorsOf(
  { inputs, outputs, tensor }: ConformanceCase,
  kind: "input" | "output",
  names: readonly string[],
): Record<string, Tensor> {
  const all = kind === "input" ? inputs : outputs;
  return Object.fromEntries(
    names.map((name) => [name, toTensor(readTensorProto(tensor(kind, all.indexOf(name)), name))]),
  );
}

/** A result that is not the expected one: always a defect. */
export class WrongAnswer extends Error {}

/** ONNX's own tolerance for node tests. */
const RTOL = 1e-3;
const ATOL = 1e-5;

/** |a − b| ≤ 1e-5 + 1e-3·|b| for floats, equality for all else. */
export function expectConforms(actual: Tensor | undefined, expected: Tensor, label: string): void {
  const typeOf = (x: Tensor | undefined) => (x ? `${x.dtype} [${x.shape}]` : "nothing");
  if (typeOf(actual) !== typeOf(expected))
    throw new WrongAnswer(`${label} is ${typeOf(actual)} instead of ${typeOf(expected)}`);
  const tolerance = (b: number) => (expected.dtype === "f32" ? ATOL + RTOL * Math.abs(b) : 0);
  expected.data.forEach((b, i) => {
    const a = actual!.data[i]!;
    if (!Object.is(a, b) && !(Math.abs(a - b) <= tolerance(b)))
      throw new WrongAnswer(`${label}: [${i}] is ${a} instead of ${b}`);
  });
}

/** Compares what `run` makes of the inputs that a graph has left with what is expected. */
export function expectCase(
  one: ConformanceCase,
  { inputs }: Graph,
  run: (feeds: Record<string, Tensor>) => Readonly<Record<string, Tensor>>,
): void {
  const feeds = tensorsOf(
    one,
    "input",
    inputs.map(({ name }) => name),
  );
  const results = run(feeds);
  for (const [name, expected] of Object.entries(tensorsOf(one, "output", one.outputs)))
    expectConforms(results[name], expected, name);
}

/** How a case fares through the public API: "passed", or the typed error. */
export function outcomeOf(one: ConformanceCase, bytes: Uint8Array): "passed" | OctetteError {
  try {
    const graph = importOnnx(bytes, { name: one.name });
    const model = loadSync(graph);
    try {
      expectCase(one, graph, (feeds) => model.runSync(feeds));
    } finally {
      model.dispose();
    }
    return "passed";
  } catch (error) {
    if (error instanceof OctetteError) return error;
    throw error;
  }
}
