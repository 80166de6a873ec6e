// Groups the nodes of a graph into what is lowered at once: an integer region, or a float op with the clamp that
// follows it. Regions are taken as they are marked; nothing here decides what is integer.

import { OctetteError } from "../errors";
import { consumersOf, type Graph, type Node, regionsOf } from "../graph/graph";
import type { Constant } from "../graph/tensor";
import { opOf, type Registry } from "../ops/infer";
import { numberOf, opError, type Quantization, type Unit } from "../ops/op";

/** Units in topological order. `kept` are values that must exist by themselves: taps. */
export function unitsOf(graph: Graph<Constant>, registry: Registry, kept: ReadonlySet<string>): Unit[] {
  const regionUnits = new Map(
    [...regionsOf(graph)].map(([name, nodes]) => [name, regionUnit(graph, registry, nodes)] as const),
  );
  const consumers = consumersOf(graph);
  const fused = new Set<Node>();
  const outputs = new Set(graph.outputs);
  const units: Unit[] = [];
  for (const node of graph.nodes) {
    if (node.region !== undefined) {
      const unit = regionUnits.get(node.region)!;
      if (unit.clamp && !opOf(registry, node.op, node.name).fusesClamp && unit.node === node)
        throw opError(node, "no kernel for this op and the activation behind it in one region", {
          hint: "End the region with a QuantizeLinear before the activation",
        });
      if (unit.node === node) units.push(unit);
      continue;
    }
    if (fused.has(node)) continue;
    if (node.op === "QuantizeLinear" || node.op === "DequantizeLinear") {
      units.push(boundaryUnit(graph, node));
      continue;
    }
    const output = node.outputs[0]!;
    const readers = consumers.get(output) ?? [];
    const next = readers[0];
    const fusible =
      opOf(registry, node.op, node.name).fusesClamp === "always" &&
      readers.length === 1 &&
      next!.region === undefined &&
      clampOf(registry, next!) &&
      !outputs.has(output) &&
      !kept.has(output);
    if (!fusible) {
      units.push({ node, inputs: node.inputs, outputs: node.outputs });
      continue;
    }
    fused.add(next!);
    units.push({ node, inputs: node.inputs, outputs: next!.outputs, clamp: clampOf(registry, next!)! });
  }
  return units;
}

/** Bounds of a Relu or Clip. */
const clampOf = (registry: Registry, node: Node) => opOf(registry, node.op, node.name).clamp?.(node);

/** A QuantizeLinear or DequantizeLinear between regions and float ops. */
function boundaryUnit(graph: Graph<Constant>, node: Node): Unit {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const integer =
    node.op === "QuantizeLinear"
      ? { inputs: [undefined], output: quantizationOf(graph, node, y) }
      : { inputs: [quantizationOf(graph, node, x)] };
  return { node, inputs: [x], outputs: node.outputs, integer };
}

/** The one op of a region, the codes it reads and writes, and the bounds of its activation. */
function regionUnit(graph: Graph<Constant>, registry: Registry, nodes: readonly Node[]): Unit {
  const dequantized = new Map<string, Node>();
  const quantizes: Node[] = [];
  const ops: Node[] = [];
  for (const node of nodes)
    if (node.op === "DequantizeLinear") dequantized.set(node.outputs[0]!, node);
    else if (node.op === "QuantizeLinear") quantizes.push(node);
    else ops.push(node);
  const [node, activation] = ops;
  const quantize = quantizes[0];
  const clamp = activation && clampOf(registry, activation);
  if (!node || ops.length > 2 || quantizes.length > 1 || (activation && !clamp))
    throw new OctetteError("not an integer region", {
      code: "graph",
      where: `region "${nodes[0]!.region}"`,
      expected: "DequantizeLinear… → op [→ Relu or Clip] → [QuantizeLinear]",
      got: nodes.map((n) => n.op).join(" → "),
    });
  const last = activation ?? node;
  return {
    node,
    inputs: node.inputs.map((input) => dequantized.get(input)?.inputs[0] ?? input),
    outputs: quantize ? quantize.outputs : last.outputs,
    ...(clamp ? { clamp } : {}),
    integer: {
      inputs: node.inputs.map((input) => {
        const dequantize = dequantized.get(input);
        return dequantize && quantizationOf(graph, dequantize, dequantize.inputs[0]!);
      }),
      ...(quantize ? { output: quantizationOf(graph, quantize, quantize.outputs[0]!) } : {}),
    },
  };
}

/**
 * Scale and zero point of a QuantizeLinear or DequantizeLinear. Codes are u8 in memory whatever the file says: an i8
 * code is kept with its top bit flipped, so its zero point is 128 higher. (Weights are packed from the file's codes.)
 */
export function quantizationOf(graph: Graph<Constant>, node: Node, codes: string): Quantization {
  const [, scaleName = "", zeroName = ""] = node.inputs;
  if (codes === "" || scaleName === "") throw opError(node, "codes or their scale are left out");
  if (numberOf(node, "block_size", 0) !== 0) throw opError(node, "scales of blocks have no kernels");
  const axis = numberOf(node, "axis", 1);
  const scale = graph.constants.get(scaleName);
  const zero = graph.constants.get(zeroName);
  if (!scale || (zeroName !== "" && !zero)) {
    const dtype = zeroName === "" ? codeType(graph, node, codes, zero) : "u8";
    if (node.op !== "DequantizeLinear" || (zeroName === "" && dtype === "u8"))
      throw opError(node, "scale and zero point must be constants", {
        hint: "Only DynamicQuantize computes them",
      });
    return {
      codes,
      dtype,
      scale: new Float32Array(0),
      zeroPoint: new Int32Array(0),
      axis,
      dynamic: { scale: scaleName, zeroPoint: zeroName },
    };
  }
  if (!scale.data || (zero && !zero.data))
    throw opError(node, "scale and zero point are numbers or vectors", {
      got: `[${scale.shape}] and [${zero?.shape ?? ""}]`,
    });
  const dtype = codeType(graph, node, codes, zero);
  if (scale.dtype !== "f32" || !scale.data.every((s) => s > 0 && s < Infinity))
    throw opError(node, "a scale is a positive number", {
      expected: "f32, above 0 and finite",
      got: `${scale.dtype}, ${scale.data.find((s) => !(s > 0 && s < Infinity)) ?? scale.data[0]}`,
    });
  if (zero && (zero.dtype !== dtype || zero.data!.length !== scale.data.length))
    throw opError(node, "its zero points do not fit its codes and scales", {
      expected: `${scale.data.length} of ${dtype}`,
      got: `${zero.data!.length} of ${zero.dtype}`,
    });
  if (scale.data.length !== 1 && !graph.constants.has(codes))
    throw opError(node, "activations have one scale a tensor", { got: `${scale.data.length} scales` });
  const shift = dtype === "i8" ? 128 : 0;
  const zeroPoint = Int32Array.from(zero?.data ?? new Int32Array(scale.data.length), (z) => z + shift);
  return { codes, dtype, scale: new Float32Array(scale.data), zeroPoint, axis };
}

function codeType(
  graph: Graph<Constant>,
  node: Node,
  codes: string,
  zero: Constant | undefined,
): Quantization["dtype"] {
  const dtype = graph.constants.get(codes)?.dtype ?? zero?.dtype ?? node.attributes.output_dtype ?? "u8";
  if (dtype === "u8" || dtype === "i8" || dtype === "i32") return dtype;
  throw opError(node, "codes of this type are not supported", {
    expected: "u8, i8 or i32",
    got: String(dtype),
  });
}
