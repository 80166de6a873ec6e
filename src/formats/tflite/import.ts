// TensorFlow Lite → Graph, without changing what is computed: no pass runs here. What a file may hold and octette cannot run is an
// error that names it.

import type { Graph, Input } from "../../graph/graph";
import { told } from "../../graph/names";
import { verify } from "../../graph/verify";
import { checkOptions, type Names } from "../../options";
import { rejectMissing } from "../missing-operators";
import { SymbolTable } from "../onnx/symbols";
import { blocks } from "./convert-blocks";
import { codes } from "./convert-codes";
import { control } from "./convert-control";
import { elementwise } from "./convert-elementwise";
import { layers } from "./convert-layers";
import { moves } from "./convert-moves";
import { parts } from "./convert-parts";
import { pools } from "./convert-pools";
import { recurrent } from "./convert-recurrent";
import { variables } from "./convert-variables";
import { elementTypeOf } from "./elements";
import { readTfliteModel, type TfliteSubgraph, type TfliteTensor } from "./schema";
import { type Conversions, OperatorSource, type TfliteFile } from "./source";
import { TensorValues } from "./values";

/** Options of `importTflite`. */
export interface TfliteOptions {
  /** Name of the graph, and of the file in errors; default "model". */
  readonly name?: string;
  /** Values for open dimensions, such as `{ batch: 1 }`; default: they stay symbols. */
  readonly symbols?: Readonly<Record<string, number>>;
}

const OPTIONS = { name: 1, symbols: 1 } satisfies Names<TfliteOptions>;

/** By the names of builtin operators. */
export const conversions: Conversions = {
  ...codes,
  ...control,
  ...elementwise,
  ...layers,
  ...blocks,
  ...moves,
  ...parts,
  ...pools,
  ...recurrent,
  ...variables,
};

/**
 * Reads a TensorFlow Lite model into a graph, as it is written. Its inputs and outputs have TFLite's order of dimensions.
 * @throws FormatError when the bytes are no such model; OctetteError "unsupported" that lists every operator octette does not have;
 * OctetteError "graph" when the model breaks TFLite's own rules.
 */
export function readTflite(bytes: Uint8Array, options: TfliteOptions = {}): Graph {
  checkOptions("importTflite", options, OPTIONS);
  const where = options.name ?? "model";
  const model = readTfliteModel(bytes, where);
  const graph = model.subgraphs[0]!;
  const inputs = graph.inputs.map(graph.tensor);
  const outputs = graph.outputs.map(graph.tensor);
  const values = new TensorValues(where);
  const read = readInputs(inputs, values, options.symbols ?? {});
  const names = namesOf(outputs, values);
  const file: TfliteFile = {
    subgraphs: model.subgraphs,
    convert(graph, values) {
      rejectMissing(missingIn(graph), where, HINT);
      for (const operator of graph.operators)
        conversions[operator.name]!(new OperatorSource(operator, graph, values, file));
    },
  };
  file.convert(graph, values);
  for (const [i, output] of outputs.entries())
    values.nodes.push({
      op: "Identity",
      name: values.fresh(names[i]!),
      inputs: [values.stored(output)],
      outputs: [names[i]!],
      attributes: {},
    });
  const imported: Graph = {
    name: where,
    inputs: read,
    outputs: names,
    nodes: values.nodes,
    constants: values.constants,
    ...(values.states.length > 0 && { states: values.states }),
    provenance: { format: "tflite", ...(model.description === "" ? {} : { producer: model.description }) },
  };
  verify(imported);
  return imported;
}

const HINT = "Cut the model before them, or write them with other operators when converting";

/** Operators that are missing, and what each makes. */
function* missingIn(graph: TfliteSubgraph): Generator<[string, string]> {
  for (const { name, isCustom, version, outputs } of graph.operators) {
    if (!isCustom && Object.hasOwn(conversions, name)) continue;
    const operator = isCustom ? `custom operator "${told(name)}"` : `${name} (version ${version})`;
    yield [`${operator} for`, told(outputs[0] === undefined ? "" : graph.tensor(outputs[0]).name)];
  }
}

/** Inputs under the names of the file. */
function readInputs(
  tensors: readonly TfliteTensor[],
  values: TensorValues,
  fixed: Readonly<Record<string, number>>,
): Input[] {
  const infos = tensors.map(({ name, shape }) => ({
    name,
    shape: shape.map((dim) => (dim < 0 ? undefined : dim)),
  }));
  const symbols = new SymbolTable(fixed, infos);
  const read = tensors.map((tensor, i): Input => {
    const name = values.fresh(tensor.name);
    const dtype = elementTypeOf(tensor, values.where);
    return { name, dtype, shape: symbols.dims(name, infos[i]!.shape) };
  });
  for (const [i, { name }] of read.entries()) values.setStored(tensors[i]!, name);
  symbols.checkFixed(values.where);
  return read;
}

/** A name of its own for every output: that in the file, where no other value has it. */
const namesOf = (tensors: readonly TfliteTensor[], values: TensorValues): string[] =>
  tensors.map(({ name }) => values.fresh(name));
