// Float graph in, quantized graph out. The order: equalize (needs no data), calibrate once, choose ranges, correct
// biases, convert.

import { batchOf } from "../engine/batch";
import { Model } from "../engine/model";
import { OctetteError } from "../errors";
import { givingWay } from "../event-loop";
import { type Graph, isQuantized, type Node } from "../graph/graph";
import { checkGraph } from "../ops/check-graph";
import { nameClasses } from "../ops/classes";
import { inferTypes } from "../ops/infer";
import { type Affine, activationParameters, limitOf } from "../ops/scheme";
import { coverNumbers } from "../passes/cover-numbers";
import { type EqualizeReport, equalize } from "../passes/equalize";
import { IntegerForms } from "../rewrite/integer-forms";
import type { Toolkit } from "../toolkit/toolkit";
import { calibrate, FEW_SAMPLES, type MakeObservable, type Observations } from "./calibrate";
import { convert } from "./convert";
import type { Quantized } from "./index";
import { checkNames, type LayerSummary, type QuantizeOptions, type Selection, selectNodes } from "./options";
import { type IntegerLayer, type IntegerPlan, planInteger } from "./plan";
import { type ChosenRange, chooseRange } from "./range";
import { type QuantizedLayer, type QuantizedWeights, quantizeLayer, quantizeWeightRows } from "./weights";

/** Quantizes a simplified float graph with the ops and the engine of a toolkit. */
export async function quantizeWith(
  given: Graph,
  options: QuantizeOptions,
  { ops, engine }: Pick<Toolkit, "ops" | "engine">,
): Promise<Quantized> {
  const makeObservable: MakeObservable = (graph, modelOptions) => new Model(graph, ops, engine, modelOptions);
  checkNames(options);
  checkGraph(given, ops);
  const original = nameClasses(given, options.classes, ops);
  const { mode = "static", naive = false } = options;
  checkInput(original, options);
  const giveWay = givingWay(options.signal);
  await giveWay();
  const equalization = naive || options.equalize === false ? undefined : equalize(original, ops);
  const graph = equalization?.graph ?? original;
  const selection = selectNodes(graph, ops, options);
  const types = inferTypes(graph, ops);
  const plan = planInteger(graph, new IntegerForms(graph, ops, types), mode, selection);
  checkAny(graph, plan, options);
  const corrects = mode === "static" && !naive && options.biasCorrection !== false;
  // Where rows end up in outputs is not of interest here.
  const batch = batchOf({ ...graph, outputs: [] }, types, ops);
  const observations = await observe(graph, plan, corrects, options, batch, makeObservable);
  await giveWay();
  const ranges = chooseRanges(graph, plan, selection, observations, options.onRange);
  const parameters = new Map(
    [...ranges].map(([value, { lo, hi }]) => [value, activationParameters(lo, hi)] as const),
  );
  await giveWay();
  const { layers, recurrences, corrected, uncorrected } = quantizeLayers(graph, plan, parameters, selection, {
    naive,
    corrects,
    observations,
  });
  await giveWay();
  const provenance = {
    quantization: {
      mode,
      naive,
      equalized: equalization !== undefined,
      biasCorrection: corrects,
      samples: observations?.samples ?? 0,
      range: naive ? "minmax" : (options.range ?? "auto"),
      ranges: countMethods(ranges),
      only: options.only ?? [],
      skip: options.skip ?? [],
      ...(options.bits === undefined ? {} : { bits: options.bits }),
      overrides: options.overrides ?? {},
      ...(options.seed === undefined ? {} : { seed: options.seed }),
    },
  };
  const converted = convert({ ops, graph, plan, mode, parameters, layers, recurrences, provenance });
  return {
    ...converted,
    graph: coverNumbers(converted.graph, observations?.applied),
    summary: {
      mode,
      layers: plan.decisions.map(({ node, quantized, reason }) => layerSummary(node, quantized, reason)),
      equalized: equalization?.report.pairs ?? [],
      skipped: [...notEqualized(equalization?.report), ...uncorrected],
      biasCorrected: corrected,
      samples: observations?.samples ?? 0,
      warnings: [
        ...selection.warnings,
        ...(plan.layers.size === 0 ? [NONE_INT8] : []),
        ...observationWarnings(observations),
        ...planWarnings(plan),
      ],
    },
  };

  function layerSummary(node: Node, quantized: boolean, reason: string | undefined): LayerSummary {
    const layer = plan.layers.get(node);
    const range = layer?.result === "codes" ? ranges.get(plan.parametersOf(layer.output))?.method : undefined;
    return {
      name: node.name,
      op: node.op,
      quantized,
      ...(range ? { range } : {}),
      ...(reason ? { reason } : {}),
    };
  }
}

function checkInput(graph: Graph, { mode = "static", calibration }: QuantizeOptions): void {
  if (mode !== "static" && mode !== "dynamic")
    throw new OctetteError("unknown mode", {
      code: "argument",
      where: "mode",
      expected: "static or dynamic",
      got: String(mode),
    });
  if (mode === "static" && !calibration)
    throw new OctetteError("static mode needs calibration data", {
      code: "argument",
      where: "calibration",
      hint: 'Pass some hundred inputs, or use mode "dynamic", which needs none',
    });
  if (
    calibration &&
    !(Symbol.iterator in Object(calibration)) &&
    !(Symbol.asyncIterator in Object(calibration))
  )
    throw new OctetteError("calibration must be an iterable of batches", {
      code: "argument",
      where: "calibration",
      expected: "an iterable of feeds",
      hint: "Take the batches of a data set: data.batches(32)",
    });
  const already = graph.nodes.find(isQuantized);
  if (already)
    throw new OctetteError("the model is quantized already", {
      code: "argument",
      where: `${already.op} "${already.name}"`,
      expected: "a float model",
      hint: "It runs as it is, and tune() fine-tunes it",
    });
}

const NONE_INT8 = "no layer becomes int8";
/** Reasons that are told of why nothing does. */
const MOST_REASONS = 3;

/** Throws when no layer can be quantized: the model would stay as it is. */
function checkAny(
  graph: Graph,
  { layers, decisions }: IntegerPlan,
  { force = false }: QuantizeOptions,
): void {
  if (force || layers.size > 0) return;
  const reasons = decisions.map(({ node, reason }) => `${node.op} "${node.name}": ${reason}`);
  throw new OctetteError(NONE_INT8, {
    code: "argument",
    where: graph.name,
    ...(reasons.length > 0 ? { got: reasons.slice(0, MOST_REASONS).join("; ") } : {}),
    hint: "force (--force) has it nevertheless",
  });
}

/** Runs the calibration where ranges are needed. */
async function observe(
  graph: Graph,
  plan: IntegerPlan,
  corrects: boolean,
  { mode = "static", calibration, ...options }: QuantizeOptions,
  batch: string | undefined,
  makeObservable: MakeObservable,
): Promise<Observations | undefined> {
  if (mode === "dynamic" || plan.coded.size === 0) return undefined;
  const histograms = new Set([...plan.coded].map((value) => plan.parametersOf(value)));
  const means = corrects ? [...plan.layers.values()].flatMap(inputMeans) : [];
  return calibrate(graph, calibration!, { histograms, means }, batch, makeObservable, options);
}

/** The mean of each input channel of a layer. */
const inputMeans = ({ node, layer }: IntegerLayer) =>
  layer ? [{ value: node.inputs[0]!, axis: layer.axis }] : [];

function chooseRanges(
  graph: Graph,
  plan: IntegerPlan,
  selection: Selection,
  observations: Observations | undefined,
  onRange: QuantizeOptions["onRange"],
): Map<string, ChosenRange> {
  const producers = new Map<string, string>(graph.inputs.map(({ name }) => [name, name]));
  for (const node of graph.nodes) for (const value of node.outputs) producers.set(value, node.name);
  // An integer layer goes by the name of its op, not of its activation.
  for (const { node, output } of plan.layers.values()) producers.set(output, node.name);
  const ranges = new Map<string, ChosenRange>();
  for (const [value, observer] of observations?.observers ?? []) {
    const name = producers.get(value) ?? value;
    const histogram = observer.histogram();
    const range = chooseRange(histogram, selection.rangeOf(name));
    ranges.set(value, range);
    onRange?.(name, range, histogram);
  }
  return ranges;
}

interface LayersInput {
  readonly naive: boolean;
  readonly corrects: boolean;
  readonly observations: Observations | undefined;
}

function quantizeLayers(
  graph: Graph,
  plan: IntegerPlan,
  parameters: ReadonlyMap<string, Affine>,
  selection: Selection,
  { naive, corrects, observations }: LayersInput,
) {
  const layers = new Map<Node, QuantizedLayer>();
  const recurrences = new Map<Node, ReadonlyMap<number, QuantizedWeights>>();
  const corrected: string[] = [];
  const uncorrected: { what: string; where: string; reason: string }[] = [];
  for (const planned of plan.layers.values()) {
    const { node, layer, weights, result } = planned;
    const limit = limitOf(selection.bitsOf(node.name));
    const ofRows = (i: number) =>
      [i, quantizeWeightRows(graph.constants.get(node.inputs[i]!)!, { perTensor: naive, limit })] as const;
    if (weights) recurrences.set(node, new Map(weights.map(ofRows)));
    if (!layer) continue;
    const [{ value, axis }] = inputMeans(planned) as [{ value: string; axis: number }];
    const means = corrects ? observations?.means(value, axis) : undefined;
    const inputScale = result === "codes" ? parameters.get(plan.parametersOf(value))!.scale : undefined;
    layers.set(node, quantizeLayer(graph, layer, { perTensor: naive, limit, inputScale, means }));
    if (means) corrected.push(node.name);
    else if (corrects)
      uncorrected.push({ what: "bias correction", where: node.name, reason: "its input was never seen" });
  }
  return { layers, recurrences, corrected, uncorrected };
}

const notEqualized = (report: EqualizeReport | undefined) =>
  (report?.skipped ?? []).map(({ where, reason }) => ({ what: "equalization", where, reason }));

/** How often each method was chosen. */
function countMethods(ranges: ReadonlyMap<string, ChosenRange>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { method } of ranges.values()) counts[method] = (counts[method] ?? 0) + 1;
  return counts;
}

function observationWarnings(observations: Observations | undefined): string[] {
  if (!observations) return [];
  const warnings: string[] = [];
  if (observations.samples < FEW_SAMPLES)
    warnings.push(
      `only ${observations.samples} calibration samples; ranges need at least ${FEW_SAMPLES}, better some hundred`,
    );
  for (const [value, { notFinite, count, min, max }] of observations.observers) {
    if (notFinite > 0)
      warnings.push(`"${value}" had ${notFinite} numbers that are NaN or infinite; they were ignored`);
    if (count > 0 && min === 0 && max === 0) warnings.push(`"${value}" was zero throughout the calibration`);
  }
  return warnings;
}

const planWarnings = ({ layers }: IntegerPlan): string[] =>
  layers.size === 0 ? ["nothing was quantized; the layers say why"] : [];
