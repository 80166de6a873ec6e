// Graph → ONNX. An op that ONNX has is written as it is; one that ONNX writes otherwise has its way back in a file export-….ts beside the
// conversion that reads it. Integer layers become the float operator between DequantizeLinear and QuantizeLinear, as ONNX's QDQ form has
// it. Importing the file gives the same graph.

import { ways } from "../../../build/groups/ways";
import { OctetteError } from "../../errors";
import type { Codes, Graph, Input, Node } from "../../graph/graph";
import { toldNames } from "../../graph/names";
import { CodedOperands } from "./coded-operands";
import { writeIntegerSums } from "./export-quantized";
import { MAX_MODEL_BYTES } from "./proto";
import { type Facts, Target } from "./target";
import { kindOfDtype, modelBytes, type WrittenValue } from "./write-proto";

/** Version of the format: the first that has the types of opset 21. */
const IR_VERSION = 10;

/**
 * The bytes of an ONNX model that computes what a graph does.
 * @throws OctetteError "unsupported" that names every node ONNX has no operator for, graphs of nodes, and states, which it has no place for; "limit" where
 * the file would be larger than MAX_MODEL_BYTES.
 */
export function writeOnnx(facts: Facts): Uint8Array<ArrayBuffer> {
  const { graph } = facts;
  rejectStates(graph);
  rejectBodies(graph);
  rejectMissing(graph);
  checkSize(graph);
  const target = new Target(facts);
  const coded = new CodedOperands(target);
  for (const { name } of graph.inputs) target.isThere(name);
  for (const node of graph.nodes) {
    if (node.codes) writeLayer({ ...node, codes: node.codes }, target, coded);
    else ways[node.op]!(withCodes(node, target), target);
    for (const output of node.outputs) target.isThere(output);
  }
  for (const name of graph.outputs) target.operand(name);
  return modelBytes({
    irVersion: IR_VERSION,
    producer: "octette",
    opset: target.opset,
    name: graph.name,
    nodes: target.nodes,
    initializers: target.initializers,
    functions: [...target.functions.values()],
    inputs: graph.inputs.map(({ name }) => infoOf(name, target)),
    outputs: graph.outputs.map((name) => infoOf(name, target)),
    metadata: new Map(graph.inputs.flatMap(preprocessingOf)),
  });
}

/** An integer layer. */
function writeLayer(node: Node & { readonly codes: Codes }, target: Target, coded: CodedOperands): void {
  const { codes } = node;
  const made = codes.output && target.type(node.outputs[0]!).dtype;
  if (made === "i32") return writeIntegerSums(node, target);
  const inputs = coded.inputsOf(node);
  coded.outputOf(node, (first) => {
    const { codes: _, ...plain } = node;
    ways[node.op]!({ ...plain, inputs, outputs: [first, ...node.outputs.slice(1)] }, target);
  });
}

/** A node that reads codes as they are. */
function withCodes(node: Node, target: Target): Node {
  return { ...node, inputs: node.inputs.map((value) => target.codesOf(value)) };
}

function infoOf(name: string, target: Target): WrittenValue {
  const { dtype, shape } = target.type(name);
  return { name, kind: kindOfDtype(dtype), shape };
}

/** How feeds are normalized, which an ONNX model does not do by itself. */
function preprocessingOf({ name, preprocessing }: Input): [string, string][] {
  return preprocessing ? [[`octette.preprocessing.${name}`, JSON.stringify(preprocessing)]] : [];
}

function rejectStates({ name, states = [] }: Graph): void {
  if (states.length === 0) return;
  throw new OctetteError("it keeps states, which ONNX has no place for", {
    code: "unsupported",
    where: `graph "${name}"`,
    got: toldNames(states.map((state) => `"${state.name}"`)),
    hint: "Language models and streams run in octette alone",
  });
}

function rejectBodies({ name, nodes }: Graph): void {
  const having = nodes.filter(({ graphs }) => graphs);
  if (having.length === 0) return;
  throw new OctetteError("graphs of nodes are not written to ONNX", {
    code: "unsupported",
    where: `graph "${name}"`,
    got: toldNames(having.map((node) => `${node.op} "${node.name}"`)),
    hint: "Fix the sizes that an If compares when importing, or cut the model before them",
  });
}

function rejectMissing({ name, nodes }: Graph): void {
  const missing = new Map<string, string[]>();
  for (const node of nodes) {
    if (Object.hasOwn(ways, node.op)) continue;
    const names = missing.get(node.op) ?? [];
    missing.set(node.op, [...names, `"${node.name}"`]);
  }
  if (missing.size === 0) return;
  throw new OctetteError("operators that ONNX does not have", {
    code: "unsupported",
    where: `graph "${name}"`,
    got: [...missing].map(([op, names]) => `${op} in ${toldNames(names)}`).join("; "),
    hint: "Cut the model before them",
  });
}

function checkSize({ name, constants }: Graph): void {
  let bytes = 0;
  for (const { data } of constants.values()) bytes += data.byteLength;
  if (bytes <= MAX_MODEL_BYTES / 2) return;
  throw new OctetteError("its weights are too large for one file", {
    code: "limit",
    where: `graph "${name}"`,
    expected: `at most ${MAX_MODEL_BYTES / 2} bytes`,
    got: `${bytes}`,
  });
}
