// One node of a model as a model of its own, with the values that ONNX Runtime gives its inputs: which of a chain's nodes makes a
// difference, and whether that is ONNX Runtime's.

import { type FileNode, onnxFile, type RawTensor } from "../formats/onnx/model-file";
import type { Case } from "./builder";
import { type Elements, elementTypes, rawTensor } from "./elements";
import type { Peer } from "./peer";

export type Values = ReadonlyMap<string, Elements>;

const typeOf = (type: number) =>
  (Object.keys(elementTypes) as Elements["type"][]).find((name) => elementTypes[name] === type)!;

/** Elements of a Constant of a case, as they were made. */
function decode({ dataType, shape, bytes }: RawTensor): Elements | undefined {
  const name = typeOf(dataType);
  const buffer = bytes.slice().buffer;
  const arrays = {
    f32: Float32Array,
    f64: Float64Array,
    u8: Uint8Array,
    i8: Int8Array,
    u16: Uint16Array,
    i16: Int16Array,
    u32: Uint32Array,
    i32: Int32Array,
    u64: BigUint64Array,
    i64: BigInt64Array,
    bool: Uint8Array,
  } as const;
  if (!(name in arrays)) return undefined;
  return {
    type: name,
    shape,
    values: Array.from(new arrays[name as keyof typeof arrays](buffer) as ArrayLike<number>),
  };
}

/** The model of a case with every computed value that ONNX Runtime can tell for an output. */
function modelOf(one: Case): Uint8Array {
  const types = new Map(one.types);
  const untold: readonly (number | undefined)[] = [elementTypes.bf16, elementTypes.u4, elementTypes.i4];
  const computed = one.nodes
    .flatMap(({ op, outputs = [] }) => (op === "Constant" ? [] : outputs))
    .filter((name) => !untold.includes(types.get(name)));
  const initializers = Object.fromEntries(
    Object.entries(one.initializers).map(([name, elements]) => [name, rawTensor(elements)]),
  );
  return onnxFile({
    opset: one.opset,
    nodes: one.nodes,
    inputs: one.inputs,
    initializers,
    outputs: computed.map((name) => ({ name, type: types.get(name) ?? 1 })),
  });
}

/** The case with f32 in the place of f64, or undefined where there is none. */
export function inSingle(one: Case): Case | undefined {
  const [double, single] = [elementTypes.f64, elementTypes.f32];
  const isDouble = (type: unknown) => type === double;
  const isIn = [...one.inputs.map(({ type }) => type), ...one.types.map(([, type]) => type)].some(isDouble);
  if (!isIn && Object.values(one.initializers).every(({ type }) => type !== "f64")) return undefined;
  const round = (elements: Elements): Elements =>
    elements.type === "f64"
      ? { ...elements, type: "f32", values: elements.values.map((v) => Math.fround(Number(v))) }
      : elements;
  const all = (named: Readonly<Record<string, Elements>>) =>
    Object.fromEntries(Object.entries(named).map(([name, elements]) => [name, round(elements)]));
  const nodes = one.nodes.map((node) => {
    const { op, attributes = {} } = node;
    if (op === "Cast" && isDouble(attributes.to))
      return { ...node, attributes: { ...attributes, to: single } };
    const elements = op === "Constant" ? decode(attributes.value as RawTensor) : undefined;
    return elements?.type === "f64" ? { ...node, attributes: { value: rawTensor(round(elements)) } } : node;
  });
  const all32 = {
    ...one,
    nodes,
    feeds: all(one.feeds),
    initializers: all(one.initializers),
    inputs: one.inputs.map((input) => (isDouble(input.type) ? { ...input, type: single } : input)),
    types: one.types.map(([name, type]) => [name, isDouble(type) ? single : type] as const),
  };
  return { ...all32, model: modelOf(all32) };
}

/** Every value of a case as ONNX Runtime computes it. */
export async function valuesOf(peer: Peer, one: Case): Promise<Values> {
  const values = new Map<string, Elements>([
    ...Object.entries(one.feeds),
    ...Object.entries(one.initializers),
  ]);
  for (const { op, outputs, attributes } of one.nodes)
    if (op === "Constant") {
      const elements = decode(attributes!.value as RawTensor);
      if (elements) values.set(outputs![0]!, elements);
    }
  const model = modelOf(one);
  for (const [name, elements] of Object.entries(await peer.run(model, one.feeds))) values.set(name, elements);
  return values;
}

/** Names that a node reads, those that its graphs take of what is around them too. */
export function readsOf({ inputs = [], attributes = {} }: FileNode): string[] {
  const graphs = Object.values(attributes).flatMap((value) =>
    typeof value === "object" && "graph" in value ? [value.graph] : [],
  );
  const captured = graphs.flatMap((graph) => {
    const own = new Set([
      ...(graph.inputs ?? []).map(({ name }) => name),
      ...graph.nodes.flatMap(({ outputs = [] }) => outputs),
    ]);
    return graph.nodes.flatMap(readsOf).filter((name) => !own.has(name));
  });
  return [...inputs, ...captured];
}

/** Names of values that depend on nothing that is fed. */
function knownOf(one: Case): Set<string> {
  const known = new Set(Object.keys(one.initializers));
  for (const node of one.nodes)
    if (readsOf(node).every((name) => name === "" || known.has(name)))
      for (const name of node.outputs ?? []) known.add(name);
  return known;
}

/** The output that stands for a node's where all that it reads is constant: no model has a constant for an output. */
export const ANCHORED = "anchored";

/** The model of one node; what was a constant is one. */
export function isolated(one: Case, node: FileNode, values: Values): Case | undefined {
  const known = knownOf(one);
  const names = [...new Set(readsOf(node).filter((name) => name !== ""))];
  if (names.some((name) => !values.has(name))) return undefined;
  const fed = names.filter((name) => !known.has(name));
  const feeds = Object.fromEntries(fed.map((name) => [name, values.get(name)!]));
  const initializers = Object.fromEntries(
    names.filter((name) => known.has(name)).map((name) => [name, values.get(name)!]),
  );
  const types = new Map(one.types);
  const nodes: FileNode[] = [node];
  let outputs = (node.outputs ?? []).map((name) => ({ name, type: types.get(name) ?? 1 }));
  if (fed.length === 0) {
    feeds.zero = { type: "f32", shape: [], values: [0] };
    const [output = ""] = node.outputs ?? [];
    nodes.push(
      { op: "Cast", inputs: [output], outputs: ["real"], name: "real", attributes: { to: 1 } },
      { op: "Add", inputs: ["real", "zero"], outputs: [ANCHORED], name: "anchor" },
    );
    outputs = [{ name: ANCHORED, type: 1 }];
  }
  const inputs = Object.entries(feeds).map(([name, { type, shape }]) => ({
    name,
    type: elementTypes[type],
    shape,
  }));
  const raw = Object.fromEntries(
    Object.entries(initializers).map(([name, value]) => [name, rawTensor(value)]),
  );
  const model = onnxFile({ opset: one.opset, nodes, inputs, initializers: raw, outputs });
  return { ...one, model, feeds, batch: 0, nodes, initializers, inputs };
}

/** The nodes whose results a value depends on. */
export function above(one: Case, value: string): FileNode[] {
  const wanted = new Set([value]);
  return one.nodes
    .toReversed()
    .filter((node) => {
      if (!(node.outputs ?? []).some((name) => wanted.has(name))) return false;
      for (const name of readsOf(node)) wanted.add(name);
      return true;
    })
    .toReversed();
}
