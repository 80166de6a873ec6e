// Functions of a model's own, which exporters write for modules and for operators of theirs: a call becomes the nodes of its function.

import { OctetteError } from "../../errors";
import { checkBodies } from "../../graph/bodies";
import { type FreshNames, told } from "../../graph/names";
import { isOnnx } from "./constants";
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } from "./proto";

/** Calls of functions within each other. */
export const MAX_CALL_DEPTH = 2 ** 6;

/** Whether a node is an operator here, whatever function has its name. */
export type IsOperator = (node: NodeProto) => boolean;

/** What inlining asks of the model around. */
export interface Callers {
  /** Names of all values. */
  readonly names: FreshNames;
  readonly isOperator: IsOperator;
  /** Throws where there are too many nodes. */
  checkNodes(count: number, where: string): void;
  readonly where: string;
}

/** What names and attributes in a function's body stand for. */
interface Call {
  readonly nameOf: (name: string) => string;
  readonly attributes: NodeProto["attributes"];
  /** Begins the names of values and nodes. */
  readonly prefix: string;
  /** How many calls it is in, with itself. */
  readonly calls: number;
  /** The version of ONNX that the body is written in. */
  readonly opset: number | undefined;
}

const keyOf = ({ domain, overload }: Pick<NodeProto, "domain" | "overload">, name: string): string =>
  `${domain}.${name}.${overload}`;

const sizesOf = ({ inputs, outputs }: Pick<NodeProto, "inputs" | "outputs">): string =>
  `${inputs.length} in, ${outputs.length} out`;

/** The graph with the nodes of functions in place of their calls. */
export function inlineFunctions({ graph, functions: all }: ModelProto, callers: Callers): GraphProto {
  const { names, isOperator, checkNodes, where } = callers;
  const functions = new Map<string, FunctionProto>();
  for (const own of all) {
    const key = keyOf(own, own.name);
    if (functions.has(key))
      throw new OctetteError("two functions have one name", {
        code: "graph",
        where: `${where}, function "${told(own.name)}" (domain "${told(own.domain)}")`,
        expected: "one function of a domain, name and overload",
      });
    functions.set(key, own);
  }
  let made = 0;

  /** A graph of the model, or of a node in a function's body, where its values get names that are free. */
  const graphIn = (proto: GraphProto, call: Call | undefined, depth: number): GraphProto => {
    checkBodies(depth, where);
    if (!call) return { ...proto, nodes: nodesIn(proto.nodes, call, depth) };
    const named = [...proto.initializers, ...proto.inputs].map(({ name }) => name);
    const own = namesOf(proto.nodes, call.prefix, named);
    const inner = { ...call, nameOf: (name: string) => own.get(name) ?? call.nameOf(name) };
    const renamed = <T extends { readonly name: string }>(all: readonly T[]): T[] =>
      all.map((one) => ({ ...one, name: inner.nameOf(one.name) }));
    return {
      name: proto.name,
      nodes: nodesIn(proto.nodes, inner, depth),
      initializers: renamed(proto.initializers),
      inputs: renamed(proto.inputs),
      outputs: renamed(proto.outputs),
      valueInfo: [],
    };
  };

  /** Free names for values that nodes make, and for others. */
  function namesOf(nodes: readonly NodeProto[], prefix: string, others: readonly string[] = []) {
    const own = new Set([...others, ...nodes.flatMap(({ outputs }) => outputs)].filter(Boolean));
    return new Map([...own].map((name) => [name, names.fresh(prefix + told(name))] as const));
  }

  const nodesIn = (nodes: readonly NodeProto[], call: Call | undefined, depth: number): NodeProto[] =>
    nodes.flatMap((proto) => {
      checkNodes(++made, where);
      const node = nodeIn(proto, call, depth);
      const own = isOperator(node) ? undefined : functions.get(keyOf(node, node.opType));
      return own ? bodyOf(own, node, (call?.calls ?? 0) + 1, depth) : [node];
    });

  /** A node with what its names and attributes stand for. */
  const nodeIn = (node: NodeProto, call: Call | undefined, depth: number): NodeProto => {
    const attributes = new Map<string, AttributeProto>();
    for (const [name, own] of node.attributes) {
      let given: AttributeProto | undefined = own;
      // One that is left out is that of the operator.
      if (own.kind === "reference" && call) given = call.attributes.get(own.value);
      else if (own.kind === "graph") given = { ...own, value: graphIn(own.value, call, depth + 1) };
      if (given) attributes.set(name, { ...given, name });
    }
    return {
      ...node,
      attributes,
      ...(call && {
        name: call.prefix + told(node.name || node.opType),
        inputs: node.inputs.map(call.nameOf),
        outputs: node.outputs.map(call.nameOf),
        opset: call.opset,
      }),
    };
  };

  /** The nodes of a call. */
  function bodyOf(own: FunctionProto, node: NodeProto, calls: number, depth: number): NodeProto[] {
    const { name, inputs, outputs, opsets } = own;
    const at = `${where}, function "${told(name)}"`;
    if (calls > MAX_CALL_DEPTH)
      throw new OctetteError("calls within calls", {
        code: "limit",
        where: at,
        expected: `at most MAX_CALL_DEPTH = ${MAX_CALL_DEPTH} inside each other`,
      });
    if (node.inputs.length > inputs.length || node.outputs.length > outputs.length)
      throw new OctetteError("a call does not fit", {
        code: "graph",
        where: at,
        expected: sizesOf(own),
        got: sizesOf(node),
      });
    const prefix = `${told(node.name || name)}/`;
    const known = namesOf(own.nodes, prefix);
    for (const [i, input] of inputs.entries()) known.set(input, node.inputs[i] ?? "");
    const call: Call = {
      nameOf: (value) => known.get(value) ?? (value && prefix + value),
      attributes: new Map([...own.attributes, ...node.attributes]),
      prefix,
      calls,
      opset: opsets.find(({ domain }) => isOnnx(domain))?.version,
    };
    // Results under the call's own names: what is an input, or another output too, is not a node's own.
    const results = outputs.map((output, i) => {
      const [input, to] = [call.nameOf(output), node.outputs[i] ?? ""];
      return {
        ...node,
        opType: "Identity",
        domain: "",
        attributes: new Map(),
        inputs: [input],
        outputs: [to],
      };
    });
    return [...nodesIn(own.nodes, call, depth), ...results.filter((one) => one.outputs[0])];
  }

  return graphIn(graph, undefined, 0);
}
