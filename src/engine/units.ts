// Groups the nodes of a graph into what is lowered at once: an integer layer, or a float op with the clamp that follows it.
// Names of scales and zero points become numbers here. Nothing here decides what is integer.

import { type CodeParameters, consumersOf, type Graph, type Node, type ValueType } from "../graph/graph";
import { countOf, formatShape } from "../graph/symbols";
import type { Constant } from "../graph/tensor";
import { heldAbove, sumScales } from "../ops/codes";
import { opOf, type Registry } from "../ops/infer";
import { numberOf, opError, type Quantization, type Unit } from "../ops/op";

type Types = ReadonlyMap<string, ValueType>;

/** Units in topological order. `kept` are values that must exist by themselves: taps. */
export function unitsOf(
  graph: Graph<Constant>,
  registry: Registry,
  types: Types,
  kept: ReadonlySet<string>,
): Unit[] {
  const consumers = consumersOf(graph);
  const fused = new Set<Node>();
  const outputs = new Set(graph.outputs);
  const units: Unit[] = [];
  for (const node of graph.nodes) {
    if (fused.has(node)) continue;
    const { fusesClamp } = opOf(registry, node.op, node.name);
    if (node.codes) {
      if (node.codes.bounds && !fusesClamp)
        throw opError(node, "an integer layer of this op has no fused activation");
      units.push(integerUnit(graph, types, node));
      continue;
    }
    if (node.op === "QuantizeLinear" || node.op === "DequantizeLinear") {
      units.push(boundaryUnit(graph, types, node));
      continue;
    }
    const output = node.outputs[0]!;
    const readers = consumers.get(output) ?? [];
    const next = readers.length === 1 && fusesClamp === "always" ? readers[0]! : undefined;
    const clamp = next && !outputs.has(output) && !kept.has(output) ? clampOf(registry, next) : undefined;
    if (clamp) fused.add(next!);
    units.push({
      node,
      inputs: node.inputs,
      outputs: clamp ? next!.outputs : node.outputs,
      ...(clamp && { clamp }),
    });
  }
  return units;
}

/** Bounds of a float node that is a clamp. */
const clampOf = (registry: Registry, node: Node) =>
  node.codes ? undefined : opOf(registry, node.op, node.name).clamp?.(node);

/** A QuantizeLinear or DequantizeLinear, where codes meet floats. */
function boundaryUnit(graph: Graph<Constant>, types: Types, node: Node): Unit {
  const [x, scale = "", zeroPoint = ""] = node.inputs as [string, string?, string?];
  const [y] = node.outputs as [string];
  if (numberOf(node, "block_size", 0) !== 0) throw opError(node, "scales of blocks have no kernels");
  const parameters = { scale, zeroPoint, axis: numberOf(node, "axis", 1) };
  const quantizes = node.op === "QuantizeLinear";
  const codes = quantizationOf(graph, types, node, quantizes ? y : x, parameters, quantizes);
  const integer = quantizes ? { inputs: [undefined], output: codes } : { inputs: [codes] };
  return { node, inputs: [x], outputs: node.outputs, integer };
}

function integerUnit(graph: Graph<Constant>, types: Types, node: Node): Unit {
  const { inputs: parameters, output, bounds } = node.codes!;
  const inputs: (Quantization | undefined)[] = [];
  for (const [i, codes] of node.inputs.entries()) {
    const p = parameters[i];
    const isBias = p?.scale === "" && !p.groups;
    inputs.push(
      isBias ? biasOf(node, codes, types, inputs) : p && quantizationOf(graph, types, node, codes, p),
    );
  }
  const made = output && quantizationOf(graph, types, node, node.outputs[0]!, output, true);
  return {
    node,
    inputs: node.inputs,
    outputs: node.outputs,
    ...(bounds && { clamp: bounds }),
    integer: { inputs, ...(made && { output: made }) },
  };
}

/** The codes of a bias are in units of the layer's sums. Where a scale of those is computed, so are theirs. */
function biasOf(
  node: Node,
  codes: string,
  types: Types,
  [x, w]: readonly (Quantization | undefined)[],
): Quantization {
  const { dtype } = types.get(codes)!;
  if (!x || !w || dtype !== "i32")
    throw opError(node, "codes without a scale are those of a bias", { expected: "i32", got: dtype });
  if (!node.codes!.output && (x.dynamic || w.dynamic))
    throw opError(node, "its bias has no scale", { expected: "f32, as a scale of its sums is computed" });
  const isComputed = x.dynamic || w.dynamic;
  const scale = isComputed ? new Float32Array(0) : sumScales(x.scale[0]!, w.scale, w.scale.length);
  return { codes, dtype, scale, zeroPoint: new Int32Array(scale.length), axis: 0 };
}

/**
 * Scale and zero point of codes that a node reads or makes. Codes are u8 in memory whatever the file says: an i8
 * code is kept with its top bit flipped, so its zero point is 128 higher. (Weights are packed from the file's codes.)
 */
function quantizationOf(
  graph: Graph<Constant>,
  types: Types,
  node: Node,
  codes: string,
  { scale: scaleName, zeroPoint: zeroName, axis = 1, groups }: CodeParameters,
  isMade = false,
): Quantization {
  if (groups) {
    // Whether they fit, those know that pack them.
    const own = new Float32Array(graph.constants.get(scaleName)?.data ?? []);
    return { codes, dtype: "i8", scale: own, zeroPoint: new Int32Array(0), axis: 0, groups };
  }
  if (codes === "" || scaleName === "") throw opError(node, "codes or their scale are left out");
  const isConstant = graph.constants.has(codes);
  const { dtype } = types.get(codes)!;
  const scale = graph.constants.get(scaleName);
  const zero = graph.constants.get(zeroName);
  if (dtype !== "u8" && dtype !== "i8" && dtype !== "i32")
    throw opError(node, "codes of this type are not supported", { expected: "u8, i8 or i32", got: dtype });
  if (!scale || (zeroName !== "" && !zero)) {
    const dynamic = { scale: scaleName, zeroPoint: zeroName };
    if (isMade || (zeroName === "" && dtype === "u8"))
      throw opError(node, "scale and zero point must be constants", {
        hint: "Only DynamicQuantize computes them",
      });
    // Without a zero point they are scales of weights that a training step computes.
    if (zeroName !== "") checkDynamic(node, types, codes, dynamic, isConstant);
    return { codes, dtype, scale: new Float32Array(0), zeroPoint: new Int32Array(0), axis, dynamic };
  }
  if (dtype === "i32" && !isConstant && !isMade)
    throw opError(node, "sums are not read as codes", {
      expected: "u8 or i8",
      got: `i32 "${codes}"`,
    });
  if (!scale.data || (zero && !zero.data))
    throw opError(node, "scale and zero point are numbers or vectors", {
      got: `[${scale.shape}] and [${zero?.shape ?? ""}]`,
    });
  const { data } = scale;
  let known = 0;
  while (data[known]! > 0 && data[known]! < Infinity) known++;
  if (scale.dtype !== "f32" || known < data.length)
    throw opError(node, "a scale is a positive number", {
      expected: "f32, above 0 and finite",
      got: `${scale.dtype}, ${data[known] ?? data[0]}`,
    });
  if (zero && (zero.dtype !== dtype || zero.data!.length !== scale.data.length))
    throw opError(node, "its zero points do not fit its codes and scales", {
      expected: `${scale.data.length} of ${dtype}`,
      got: `${zero.data!.length} of ${zero.dtype}`,
    });
  if (scale.data.length !== 1 && !isConstant)
    throw opError(node, "activations have one scale a tensor", { got: `${scale.data.length} scales` });
  const shift = heldAbove(dtype);
  // Not `from`, which makes an object an element. A length makes zeros.
  const zeros = (zero?.data ?? scale.data.length) as ArrayLike<number>;
  const zeroPoint = new Int32Array(zeros).map((z) => z + shift);
  return { codes, dtype, scale: new Float32Array(scale.data), zeroPoint, axis };
}

/** What is found at run time is of codes that DynamicQuantize makes: one scale and zero point in all, or one of each a row. */
function checkDynamic(
  node: Node,
  types: Types,
  codes: string,
  dynamic: { readonly scale: string; readonly zeroPoint: string },
  isConstant: boolean,
): void {
  const { dtype, shape } = types.get(codes)!;
  const [scale, zeroPoint] = [types.get(dynamic.scale)!, types.get(dynamic.zeroPoint)!];
  const rows = countOf(shape.slice(0, -1));
  const fits = [scale, zeroPoint].every((type) => type.shape.length === 0 || countOf(type.shape) === rows);
  if (fits && !isConstant && dtype === "u8" && scale.dtype === "f32" && zeroPoint.dtype === "i32") return;
  throw opError(node, "scale and zero point must be constants, or computed for every row or for all", {
    expected: `u8 codes, f32 and i32 of ${rows} elements, or of one`,
    got: `${dtype}, ${scale.dtype} ${formatShape(scale.shape)} and ${zeroPoint.dtype} ${formatShape(zeroPoint.shape)}`,
  });
}
