// Variables, which a model keeps from run to run, and the layer that keeps its last inputs: states of the graph.

import { constantOf } from "./elements";
import type { TfliteSubgraph } from "./schema";
import type { Conversions, OperatorSource } from "./source";

const NAMES = { container: 0, name: 1 };
const SVDF = { rank: 0, activation: 1 };

const keyOf = ({ options }: OperatorSource) =>
  [options.text(NAMES.container), options.text(NAMES.name)].join("/");

/** A variable under its name in the file, which tensors of all graphs of the file have in common. */
function varHandle(source: OperatorSource): void {
  source.values.variables.set(source.output().index, keyOf(source));
}

function variableOf(source: OperatorSource): string {
  const key = source.values.variables.get(source.tensor(0).index);
  if (key !== undefined) return key;
  throw source.error("a variable that no VAR_HANDLE of the graph names");
}

function readVariable(source: OperatorSource): void {
  source.end(source.values.read(variableOf(source), source.output(), source.name));
}

function assignVariable(source: OperatorSource): void {
  source.values.assign(variableOf(source), source.tensor(1), source.real(1), source.name);
}

/** What is done before the first run: variables are set to zeros, as states are at first. */
function callOnce(source: OperatorSource): void {
  const graph = source.subgraph(source.options.int(0));
  for (const operator of graph.operators) {
    if (operator.name === "VAR_HANDLE") continue;
    const isZero = operator.name === "ASSIGN_VARIABLE" && isZeros(graph, operator.inputs[1]);
    if (!isZero) throw source.error("it does more than to set variables to zeros", { got: operator.name });
  }
}

/** Whether a tensor is a constant of zeros. */
function isZeros(graph: TfliteSubgraph, index = -1): boolean {
  if (index < 0) return false;
  const tensor = graph.tensor(index);
  const zero = tensor.quantization?.zeroPoint[0] ?? 0;
  return tensor.data !== undefined && constantOf(tensor, tensor.name).data.every((value) => value === zero);
}

/**
 * A filter of rank r over time: features x·Wfᵀ of the last inputs, as many as the state has room for, times weights over time. Inputs x, Wf
 * [units·r, inputs], Wt [units·r, memory], bias [units], state [batch, units·r·memory].
 */
function svdf(source: OperatorSource): void {
  const { options } = source;
  const rank = options.int(SVDF.rank);
  const [filters = 0, memory = 0] = source.tensor(2).shape;
  if (rank < 1 || filters % rank !== 0)
    throw source.error("its rank does not fit", { expected: `a part of ${filters}`, got: `${rank}` });
  const kept = source.tensor(4);
  const state = source.values.state(`tensor_${kept.index}`, { ...kept, quantization: undefined, type: 0 });
  const before = source.add("Reshape", [source.add("ReadState", [state])], { shape: [-1, filters, memory] });
  const features = source.add("Linear", [source.real(0), source.real(1)]);
  const newest = source.add("Unsqueeze", [features], { axes: [2] });
  const later = source.add("Slice", [before], { starts: [1], ends: [memory], axes: [2], steps: [1] });
  const after = source.add("Concat", [later, newest], { axis: 2 });
  source.add("WriteState", [source.add("Reshape", [after], { shape: [...kept.shape] }), state]);
  const filtered = source.add("Mul", [after, source.real(2)]);
  const sums = source.add("ReduceSum", [filtered], { axes: [2], keepdims: 0 });
  const units = source.add("Reshape", [sums], { shape: [-1, filters / rank, rank] });
  const y = source.add("ReduceSum", [units], { axes: [2], keepdims: 0 });
  const biased = source.has(3) ? source.add("Add", [y, svdfBias(source)]) : y;
  source.end(source.activated(biased, options.byte(SVDF.activation)));
}

/** As int32 it is in units of the sums over time: those of the state, times the weights'. */
function svdfBias(source: OperatorSource): string {
  const [state, weights] = [source.tensor(4).quantization, source.tensor(2).quantization];
  if (!state || !weights) return source.real(3);
  const scale = source.number(Math.fround(state.scale[0]! * weights.scale[0]!));
  return source.add("DequantizeLinear", [source.real(3), scale]);
}

export const variables: Conversions = {
  ASSIGN_VARIABLE: assignVariable,
  CALL_ONCE: callOnce,
  READ_VARIABLE: readVariable,
  SVDF: svdf,
  VAR_HANDLE: varHandle,
};
