// octette inspect: what a model file holds, without data.

import { createHash } from "node:crypto";
import { formatNormalize } from "../data/index";
import { constantsIn, nodesIn } from "../graph/bodies";
import { graphLines } from "../graph/print";
import { formatShape } from "../graph/symbols";
import { bytesPerElement } from "../graph/tensor";
import { type Graph, load, type Preprocessing } from "../index";
import { type Context, defineCommand } from "./command";
import { PICTURES, pictureOf } from "./graph-picture";
import { isLanguageModel } from "./language";
import { inspectLanguage } from "./language-reports";
import { type LayerFacts, layersOf } from "./layer-table";
import { type ModelFile, openModel } from "./open-model";
import { flag, text, UsageError } from "./options";
import { formatBytes, formatCount, formatPercent } from "./terminal";

export const inspectCommand = defineCommand({
  name: "inspect",
  summary: "show inputs, outputs, sizes, quantization and graph of a model",
  arguments: "MODEL [--graph]",
  positionals: ["MODEL"],
  options: {
    graph: {
      ...text("FILE", "also every node; or a picture of them: FILE.svg, .html or .dot (Graphviz)"),
      isOptional: true,
      looks: PICTURES,
      parse(path: string) {
        if (path === "" || PICTURES.test(path)) return path;
        throw new UsageError(`--graph writes .svg, .html and .dot, got "${path}"`);
      },
    },
    all: flag("every layer, not only those with most multiply-adds or parameters"),
  },
  notes: [
    "Memory is what one sample takes to run: constants as they are packed, and room for values. Of a language model (a folder, a GGUF file, an .octette of one): its cache, too, for as many tokens as it is loaded for.",
  ],
  examples: ["octette inspect digits.octette", "octette inspect digits.octette --graph digits.svg"],
  async run([path = ""], { graph: picture, all = false }, context) {
    if (picture) await context.checkOutput(picture);
    if (picture === undefined && (await isLanguageModel(path))) return inspectLanguage(path, context);
    const file = await openModel(path, context);
    const facts = await factsOf(file);
    if (picture) await context.write(picture, Buffer.from(pictureOf(file.graph, picture)));
    const graph = picture === "" ? ["", ...graphLines(file.graph)] : [];
    context.print(facts, () => [
      ...factsText(facts, context),
      "",
      ...layersText(facts.layers, all, context),
      ...graph,
      ...(picture ? ["", `graph → ${picture}`] : []),
    ]);
  },
});

type Facts = Awaited<ReturnType<typeof factsOf>>;

async function factsOf({ path, format, bytes, graph, artifact }: ModelFile) {
  // Nothing is written to its memory, which no file is too large to be told of.
  const model = await load(graph, { maxBytes: Infinity });
  const layers = layersOf(graph, model);
  model.dispose();
  const constants = constantsIn(graph);
  const ops: Record<string, number> = {};
  for (const { op } of nodesIn(graph)) ops[op] = (ops[op] ?? 0) + 1;
  return {
    file: path,
    format,
    name: graph.name,
    inputs: graph.inputs,
    outputs: model.outputs,
    ...(graph.classes ? { classes: graph.classes } : {}),
    ops,
    macs: layers.reduce((n, { macs }) => n + macs, 0),
    layers,
    parameters: constants.reduce((n, { data }) => n + data.length, 0),
    bytes: {
      file: bytes.length,
      constants: constants.reduce((n, { dtype, data }) => n + data.length * bytesPerElement[dtype], 0),
      memory: model.bytes,
    },
    quantization: quantizationOf(graph),
    hashes: {
      sha256: createHash("sha256").update(bytes).digest("hex"),
      ...(artifact ? { content: artifact.contentHash, file: artifact.fileHash } : {}),
    },
    ...(artifact?.selfTest ? { selfTest: artifact.selfTest } : {}),
    provenance: graph.provenance,
  };
}

/** Integer layers by operator, and the bytes of weights by type. */
function quantizationOf(graph: Graph) {
  const layersByOp: Record<string, number> = {};
  const layers = nodesIn(graph).filter(({ codes }) => codes);
  for (const { op } of layers) layersByOp[op] = (layersByOp[op] ?? 0) + 1;
  const constantBytes: Record<string, number> = {};
  for (const { dtype, data } of constantsIn(graph))
    constantBytes[dtype] = (constantBytes[dtype] ?? 0) + data.length * bytesPerElement[dtype];
  return { layers: layers.length, layersByOp, constantBytes };
}

/** What JSON holds as words: what is false or empty says nothing. */
function formatFact(value: unknown): string {
  if (typeof value !== "object" || value === null) return `${value}`;
  if (Array.isArray(value)) return value.map(formatFact).join(" ");
  return Object.entries(value)
    .map(([key, inner]) => {
      const text = formatFact(inner);
      if (inner === false || text === "") return "";
      return inner === true ? key : `${key} ${typeof inner === "object" ? `(${text})` : text}`;
    })
    .filter(Boolean)
    .join(", ");
}

/** Which feeds of an input are normalized, by what scale, mean and std. */
function normalizationText({ of, ...by }: Preprocessing): string {
  return `${of ? "all that is fed" : "bytes, not floats,"} by ${formatNormalize(by)}`;
}

/** Names of classes that are shown; --json has them all. */
const MOST_CLASSES = 12;

const classesText = (classes: readonly string[]): string =>
  `${classes.length}: ${classes.slice(0, MOST_CLASSES).join(", ")}${classes.length > MOST_CLASSES ? ", …" : ""}`;

function factsText(facts: Facts, { pairs, table }: Context): string[] {
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .sort(([, a], [, b]) => b - a)
      .map(([name, n]) => `${n} ${name}`)
      .join(", ");
  const { bytes, quantization, hashes } = facts;
  const values = [
    ...facts.inputs.map(({ name, dtype, shape }) => ["input", name, dtype, formatShape(shape)]),
    ...facts.outputs.map(({ name, dtype, shape }) => ["output", name, dtype, formatShape(shape)]),
  ];
  const normalizations = facts.inputs.flatMap(({ name, preprocessing }) =>
    preprocessing ? [["normalizes", `${name}: ${normalizationText(preprocessing)}`]] : [],
  );
  const provenance = Object.entries(facts.provenance).map(([key, value]) => [key, formatFact(value)]);
  const rows = [
    ["model", `${facts.name} (${facts.format})`],
    ["file", `${formatBytes(bytes.file)}  ${facts.file}`],
    ["parameters", `${facts.parameters} in ${formatBytes(bytes.constants)}`],
    ["multiply-adds", `${formatCount(facts.macs)} a sample`],
    ...(facts.classes ? [["classes", classesText(facts.classes)]] : []),
    ...normalizations,
    ["memory", formatBytes(bytes.memory)],
    ["nodes", counts(facts.ops)],
    [
      "int8",
      quantization.layers === 0
        ? "none: a float model"
        : `${quantization.layers} layer${quantization.layers === 1 ? "" : "s"}: ${counts(quantization.layersByOp)}`,
    ],
    ["sha256", hashes.sha256],
    ...(hashes.content ? [["content hash", hashes.content]] : []),
    ...provenance,
  ];
  return [...pairs(rows), "", ...table(["", "name", "type", "shape"], values, "llll")];
}

/** Layers of a table that is not asked for whole. */
const MOST_LAYERS = 24;

/** Layers in their order: the heaviest ones, unless all are asked for. */
function layersText(layers: readonly LayerFacts[], all: boolean, { table }: Context): string[] {
  if (layers.length === 0) return [];
  const weight = ({ share, parameters }: LayerFacts) => share + (100 * parameters) / (most || 1);
  const most = layers.reduce((sum, { parameters }) => sum + parameters, 0);
  const heaviest = new Set([...layers].sort((a, b) => weight(b) - weight(a)).slice(0, MOST_LAYERS));
  const shown = all ? layers : layers.filter((layer) => heaviest.has(layer));
  const rows = shown.map(({ name, op, shape, parameters, bits, macs, share }) => [
    name,
    op,
    shape.slice(1).join("×") || formatShape(shape),
    parameters === 0 ? "" : formatCount(parameters),
    bits === 0 ? "" : `${bits}`,
    macs === 0 ? "" : formatCount(macs),
    macs === 0 ? "" : formatPercent(share, 1),
  ]);
  const left = layers.length - shown.length;
  return [
    ...table(["layer", "op", "makes", "params", "bits", "MACs", "share"], rows, "lllrrrr"),
    ...(left > 0 ? [`… and ${left} lighter ones (--all shows them)`] : []),
  ];
}
