// Graph → ONNX. An op that ONNX has is written as it is; one that ONNX writes otherwise has its way back in a file export-….ts beside the
// conversion that reads it. Integer layers become the float operator between DequantizeLinear and QuantizeLinear, as ONNX's QDQ form has
// it. Importing the file gives the same graph.

import { ways } from "../../../build/groups/ways";
import { OctetteError } from "../../errors";
import { constantsIn, nodesIn } from "../../graph/bodies";
import type { Codes, Graph, Input, Node } from "../../graph/graph";
import { toldNames } from "../../graph/names";
import type { Dim } from "../../graph/symbols";
import { rejectMissing } from "../missing-operators";
import { CodedOperands } from "./coded-operands";
import { writeIntegerSums } from "./export-quantized";
import { isOfSharedRange, writeSharedRange } from "./export-recurrent";
import { MAX_MODEL_BYTES } from "./proto";
import { type Facts, Target, WrittenFile } from "./target";
import { modelBytes } from "./write-proto";

/** Version of the format: the first that has the types of opset 21. */
const IR_VERSION = 10;

/**
 * The bytes of an ONNX model that computes what a graph does.
 * @throws OctetteError "unsupported" that names every node ONNX has no operator for, and states, which it has no place for; "limit" where
 * the file would be larger than MAX_MODEL_BYTES.
 */
export function writeOnnx(facts: Facts): Uint8Array<ArrayBuffer> {
  const { graph } = facts;
  rejectStates(graph);
  const missing = nodesIn(graph).filter(({ op }) => !Object.hasOwn(ways, op));
  const places = missing.map(({ op, name }) => [`${op} in`, name] as const);
  rejectMissing(places, `graph "${graph.name}"`, "Cut the model before them", "ONNX");
  checkSize(graph);
  const file = new WrittenFile(graph, writeNodes);
  const target = new Target(facts, file);
  for (const name of graph.outputs) target.operand(name);
  return modelBytes({
    irVersion: IR_VERSION,
    producer: "octette",
    opset: file.opset,
    domains: file.domains,
    graph: {
      name: graph.name,
      nodes: target.nodes,
      inputs: graph.inputs.map(({ name }) => target.info(name)),
      outputs: graph.outputs.map((name) => target.info(name)),
    },
    initializers: file.initializers,
    functions: file.functions.values(),
    metadata: new Map(graph.inputs.flatMap(preprocessingOf)),
  });
}

/** The nodes of the file's graph, or of one within it. */
function writeNodes(target: Target): void {
  const { graph, sizes } = target;
  const coded = new CodedOperands(target);
  const isThere = (value: string) => value !== "" && sizes.isThere(value, target.type(value).shape);
  for (const { name } of graph.inputs) isThere(name);
  // What refuses sizes of inputs comes before what reads them.
  const isEarly = ({ op, attributes }: Node) =>
    op === "Natural" && sizes.has(attributes.values as readonly Dim[]);
  const early = new Set(graph.nodes.filter(isEarly));
  for (const node of [...early, ...graph.nodes.filter((node) => !early.has(node))]) {
    if (node.codes) writeLayer({ ...node, codes: node.codes }, target, coded);
    else ways[node.op]!(withCodes(node, target), target);
    for (const output of node.outputs) isThere(output);
  }
}

/** An integer layer. */
function writeLayer(node: Node & { readonly codes: Codes }, target: Target, coded: CodedOperands): void {
  const { codes } = node;
  const made = codes.output && target.type(node.outputs[0]!).dtype;
  if (made === "i32") return writeIntegerSums(node, target);
  if (isOfSharedRange(node)) return writeSharedRange(node, target);
  const inputs = coded.inputsOf(node);
  coded.outputOf(node, (first) => {
    const { codes: _, ...plain } = node;
    ways[node.op]!({ ...plain, inputs, outputs: [first, ...node.outputs.slice(1)] }, target);
  });
}

/** A node that reads codes as they are, or a zero point that a run finds as the byte that it is in the file. */
function withCodes(node: Node, target: Target): Node {
  const { op, attributes } = node;
  const isOfCodes = op.startsWith("Dequantize") || (op === "Cast" && attributes.to === "u8");
  const nameOf = (value: string) => (isOfCodes ? target.codesOf(value) : target.plain(value));
  return { ...node, inputs: node.inputs.map(nameOf) };
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

function checkSize(graph: Graph): void {
  let bytes = 0;
  for (const { data } of constantsIn(graph)) bytes += data.byteLength;
  if (bytes <= MAX_MODEL_BYTES / 2) return;
  throw new OctetteError("its weights are too large for one file", {
    code: "limit",
    where: `graph "${graph.name}"`,
    expected: `at most ${MAX_MODEL_BYTES / 2} bytes`,
    got: `${bytes}`,
  });
}
