// Noise layer by layer: every value that two graphs both compute, side by side. In a quantized graph a value may
// exist only as codes, which are dequantized here; a value that a fused activation reads exists in no memory, so it has
// no row.

import type { Dataset } from "../data/dataset";
import type { Model, ModelOptions, Tapped } from "../engine/model";
import { OctetteError } from "../errors";
import { givingWay } from "../event-loop";
import { consumersOf, type Graph, type Node, producersOf } from "../graph/graph";
import type { LongCallOptions } from "../long-call";
import type { ToolkitOps } from "../ops/infer";
import { flatChannels } from "../ops/layout";
import { equalize } from "../passes/equalize";
import { toolkit } from "../toolkit/toolkit";
import { NoiseMeter } from "./metrics";

export type CreateModel = (graph: Graph, options?: ModelOptions) => Model | Promise<Model>;

/** How far the values of a layer are from those of the float model. */
export interface LayerError {
  /** The value's name, which both graphs have. */
  readonly value: string;
  /** The node that computes it, and its operator. */
  readonly node: string;
  readonly op: string;
  /** Signal to noise in decibels; Infinity when identical. */
  readonly sqnrDb: number;
}

/** Noise settles long before this many samples. */
const SAMPLES = 256;
/** Every value is kept until it was read, so batches are small. */
const BATCH = 8;

/** Where a value can be read, and how codes become numbers. */
interface Reading {
  readonly tap: string;
  readonly scale: number;
  readonly zeroPoint: number;
  /** Node that computes the value. */
  readonly node: Node;
}

/** How to read a value of a graph as numbers; undefined when it exists in no memory. */
function readings(graph: Graph): (value: string) => Reading | undefined {
  const producers = producersOf(graph);
  const consumers = consumersOf(graph);
  const asCodes = (tap: string, scale: string, zeroPoint: string) => {
    const [s, z] = [graph.constants.get(scale)?.data, graph.constants.get(zeroPoint)?.data];
    return s?.length === 1 ? { tap, scale: s[0]!, zeroPoint: z?.[0] ?? 0 } : undefined;
  };
  return (value) => {
    const node = producers.get(value);
    if (!node) return undefined;
    const made = node.codes?.output;
    const quantizer = consumers.get(value)?.find(({ op }) => op === "QuantizeLinear");
    if (made || quantizer) {
      const { scale, zeroPoint } = made ?? {
        scale: quantizer!.inputs[1]!,
        zeroPoint: quantizer!.inputs[2] ?? "",
      };
      const read = asCodes(made ? value : quantizer!.outputs[0]!, scale, zeroPoint);
      return read && { ...read, node };
    }
    // Floats that codes stand for belong to the layer that made those.
    const layer = node.op === "DequantizeLinear" ? producers.get(node.inputs[0]!) : undefined;
    return { tap: value, scale: 1, zeroPoint: 0, node: layer ?? node };
  };
}

/** The tapped elements as numbers in ONNX's order. */
function numbersOf({ dtype, shape, layout, data }: Tapped, { scale, zeroPoint }: Reading): Float32Array {
  const out = new Float32Array(data.length);
  // i8 codes lie in memory with the top bit flipped (engine/model.ts).
  const codeMask = dtype === "i8" ? -128 : 0;
  const number = (i: number) => (dtype === "f32" ? data[i]! : ((data[i]! ^ codeMask) - zeroPoint) * scale);
  const channels = layout === "channelsLast" ? shape[1]! : (flatChannels(layout) ?? 0);
  if (channels === 0) return out.map((_, i) => number(i));
  const sample = data.length / (shape[0] || 1);
  const inner = sample / channels;
  for (let i = 0; i < data.length; i++) {
    const within = i % sample;
    out[i - within + (within % channels) * inner + Math.floor(within / channels)] = number(i);
  }
  return out;
}

/** The model's graph, with all its weights. */
function wholeGraph({ graph }: Model): Graph {
  for (const [name, { data }] of graph.constants)
    if (!data)
      throw new OctetteError(
        "the model does not keep its weights after loading, so its layers cannot be measured",
        {
          code: "argument",
          where: `constant "${name}" of "${graph.name}"`,
          hint: "Load its graph: load(readArtifact(bytes).graph)",
        },
      );
  return graph as Graph;
}

function isEqualized({ provenance }: Graph): boolean {
  const quantization = provenance.quantization as { equalized?: unknown } | undefined;
  const equalized = quantization?.equalized ?? provenance.equalized;
  return Array.isArray(equalized) ? equalized.length > 0 : Boolean(equalized);
}

/** Both graphs with values that mean the same: where one is equalized, the other, which is float, is equalized, too. */
function comparable(graph: Graph, reference: Graph, ops: ToolkitOps): readonly [Graph, Graph] {
  const isOurs = isEqualized(graph);
  if (isOurs === isEqualized(reference)) return [graph, reference];
  const plain = isOurs ? reference : graph;
  if (plain.provenance.quantization || plain.nodes.some(({ codes }) => codes))
    throw new OctetteError("its layers have other scales: one model is equalized, the other is not", {
      code: "argument",
      where: `"${plain.name}"`,
      expected: "two models that both are, or a float model",
      hint: "Compare each with the float model",
    });
  const { graph: equalized } = equalize(plain, ops);
  return isOurs ? [graph, equalized] : [equalized, reference];
}

/** Noise of every value that `model` and `reference` both compute, in the reference's order. */
export async function layerErrors(
  model: Model,
  reference: Model,
  dataset: Dataset,
  createModel: CreateModel,
  { signal, maxBytes }: Pick<LongCallOptions, "signal"> & Pick<ModelOptions, "maxBytes"> = {},
  ops: ToolkitOps = toolkit.ops,
): Promise<LayerError[]> {
  const graphs = comparable(wholeGraph(model), wholeGraph(reference), ops);
  const [read, readReference] = [readings(graphs[0]), readings(graphs[1])];
  const pairs = graphs[1].nodes.flatMap((node) =>
    node.outputs.flatMap((value) => {
      const ours = read(value);
      const theirs = readReference(value);
      return ours && theirs ? [{ value, ours, theirs, meter: new NoiseMeter() }] : [];
    }),
  );
  const batch = model.inputs[0]?.shape[0];
  const common = { maxBytes, maxima: typeof batch === "string" ? { [batch]: BATCH } : {} };
  const [tapped, tappedReference] = await Promise.all([
    createModel(graphs[0], { ...common, taps: pairs.map(({ ours }) => ours.tap) }),
    createModel(graphs[1], { ...common, taps: pairs.map(({ theirs }) => theirs.tap) }),
  ]);
  const giveWay = givingWay(signal);
  try {
    for (const feeds of dataset.sample(SAMPLES, 0).batches(BATCH)) {
      await giveWay();
      tapped.runSync(feeds);
      tappedReference.runSync(feeds);
      for (const { ours, theirs, meter } of pairs)
        meter.add(
          numbersOf(tappedReference.tapped(theirs.tap), theirs),
          numbersOf(tapped.tapped(ours.tap), ours),
        );
    }
  } finally {
    tapped.dispose();
    tappedReference.dispose();
  }
  return pairs.map(({ value, ours, meter }) => ({
    value,
    node: ours.node.name,
    op: ours.node.op,
    sqnrDb: meter.sqnrDb,
  }));
}
