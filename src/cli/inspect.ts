// octette inspect: what a model file holds, without data.

import { createHash } from "node:crypto";
import { formatNormalize } from "../data/index";
import { constantsIn, nodesIn } from "../graph/bodies";
import { graphLines } from "../graph/print";
import { formatShape } from "../graph/symbols";
import { bytesPerElement } from "../graph/tensor";
import { type Graph, load, type Preprocessing } from "../index";
import { type Context, defineCommand } from "./command";
import { isLanguageModel } from "./language";
import { inspectLanguage } from "./language-reports";
import { type ModelFile, openModel } from "./open-model";
import { flag } from "./options";
import { formatBytes } from "./terminal";

export const inspectCommand = defineCommand({
  name: "inspect",
  summary: "show inputs, outputs, sizes, quantization and graph of a model",
  arguments: "MODEL [--graph]",
  positionals: ["MODEL"],
  options: { graph: flag("also every node; integer layers have a dot") },
  notes: [
    "Memory is what one sample takes to run: constants as they are packed, and room for values. Of a language model (a folder, a GGUF file, an .octette of one): its cache, too, for as many tokens as it is loaded for.",
  ],
  examples: ["octette inspect digits.octette --graph"],
  async run([path = ""], { graph: withGraph }, context) {
    if (!withGraph && (await isLanguageModel(path))) return inspectLanguage(path, context);
    const file = await openModel(path, context);
    const facts = await factsOf(file);
    const graph = withGraph ? ["", ...graphLines(file.graph)] : [];
    context.print(facts, () => [...factsText(facts, context), ...graph]);
  },
});

type Facts = Awaited<ReturnType<typeof factsOf>>;

async function factsOf({ path, format, bytes, graph, artifact }: ModelFile) {
  // Nothing is written to its memory, which no file is too large to be told of.
  const model = await load(graph, { maxBytes: Infinity });
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

/** Which feeds of an input are normalized, by what, and what others are taken as. */
function normalizationText(preprocessing: Preprocessing | undefined): string {
  if (!preprocessing) return "";
  const { of, ...by } = preprocessing;
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
    ...facts.inputs.map(({ name, dtype, shape, preprocessing }) => [
      "input",
      name,
      dtype,
      formatShape(shape),
      normalizationText(preprocessing),
    ]),
    ...facts.outputs.map(({ name, dtype, shape }) => ["output", name, dtype, formatShape(shape), ""]),
  ];
  const provenance = Object.entries(facts.provenance).map(([key, value]) => [key, formatFact(value)]);
  const rows = [
    ["model", `${facts.name} (${facts.format})`],
    ["file", `${formatBytes(bytes.file)}  ${facts.file}`],
    ["parameters", `${facts.parameters} in ${formatBytes(bytes.constants)}`],
    ...(facts.classes ? [["classes", classesText(facts.classes)]] : []),
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
  const header = ["", "name", "type", "shape", "normalizes (scale,mean,std)"];
  return [...pairs(rows), "", ...table(header, values, "lllll")];
}
