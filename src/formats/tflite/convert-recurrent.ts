// Layers over sequences. Their weights are a matrix a gate, which ONNX has below each other.

import { biasOf } from "./convert-layers";
import type { Conversions, OperatorSource } from "./source";

/** Places of inputs, of gates in the order input, forget, cell, output. */
const LSTM = {
  weights: [1, 2, 3, 4],
  recurrent: [5, 6, 7, 8],
  peepholes: [9, 10, 11],
  biases: [12, 13, 14, 15],
  projection: 16,
  states: [18, 19],
  norms: [20, 21, 22, 23],
} as const;
/** ONNX's order of these gates: input, output, forget, cell. */
const GATES = [0, 3, 1, 2];
const PEEPHOLES = [0, 2, 1];

const OPTIONS = { activation: 0, cellClip: 1, projectionClip: 2, timeMajor: 3, diagonal: 5 };

/** Functions of a candidate by enum ActivationFunctionType. */
const FUNCTIONS: Readonly<Record<number, string>> = { 0: "Affine", 1: "Relu", 4: "Tanh" };

/** Values below each other, [1, rows, …]. */
function stacked(source: OperatorSource, values: readonly string[]): string {
  const all = source.add("Concat", values, { axis: 0 });
  return source.add("Unsqueeze", [all], { axes: [0] });
}

function functionsOf(source: OperatorSource): {
  readonly activations: string[];
  readonly activation_alpha?: number[];
} {
  const code = source.options.byte(OPTIONS.activation);
  const name = FUNCTIONS[code];
  if (!name)
    throw source.error("its activation does not fit", { expected: "none, RELU or TANH", got: `${code}` });
  const activations = ["Sigmoid", name, name];
  return name === "Affine" ? { activations, activation_alpha: [1, 1, 1] } : { activations };
}

/** A state before the first step and after the last: what the file computes, or a variable that is kept from run to run. */
class KeptState {
  readonly #source: OperatorSource;
  readonly #state: string | undefined;
  readonly #before: string;
  readonly #axes: readonly number[];

  constructor(source: OperatorSource, i: number, isBatchFirst: boolean) {
    const tensor = source.tensor(i);
    const isKept = tensor.isVariable && !source.values.isMade(tensor);
    this.#source = source;
    this.#axes = [isBatchFirst ? 1 : 0];
    this.#state = isKept ? source.values.state(`tensor_${tensor.index}`, tensor) : undefined;
    this.#before = this.#state ? source.add("ReadState", [this.#state]) : source.real(i);
  }

  /** With an axis for directions. */
  get before(): string {
    return this.#source.add("Unsqueeze", [this.#before], { axes: this.#axes });
  }

  write(after: string): void {
    const value = this.#source.add("Squeeze", [after], { axes: this.#axes });
    if (this.#state) this.#source.add("WriteState", [value, this.#state]);
  }
}

function lstm(source: OperatorSource): void {
  const { options } = source;
  const refuse = (what: string) => source.error(what, { hint: "Convert it as a plain LSTM" });
  if (LSTM.weights.some((i) => !source.has(i))) throw refuse("its input gate is coupled to the forget gate");
  if (source.has(LSTM.projection)) throw refuse("its output is projected");
  if (LSTM.norms.some((i) => source.has(i))) throw refuse("its gates are normalized");
  if (options.bool(OPTIONS.diagonal)) throw refuse("its recurrent weights are diagonals");
  const isBatchFirst = !options.bool(OPTIONS.timeMajor);
  const ofGates = (inputs: readonly number[]) =>
    stacked(
      source,
      GATES.map((gate) => source.real(inputs[gate]!)),
    );
  const biases = GATES.flatMap((gate) => biasOf(source, LSTM.biases[gate]!, 0, LSTM.weights[gate]!));
  const bias = stacked(source, biases);
  const none = source.add("Sub", [bias, bias]);
  const peepholes = source.has(LSTM.peepholes[0])
    ? [
        stacked(
          source,
          PEEPHOLES.map((gate) => source.real(LSTM.peepholes[gate]!)),
        ),
      ]
    : [];
  const states = LSTM.states.map((i) => new KeptState(source, i, isBatchFirst));
  const inputs = [
    source.real(0),
    ofGates(LSTM.weights),
    ofGates(LSTM.recurrent),
    source.add("Concat", [bias, none], { axis: 1 }),
    "",
    ...states.map(({ before }) => before),
    ...peepholes,
  ];
  const attributes = {
    ...functionsOf(source),
    layout: isBatchFirst ? 1 : 0,
    cell_clip: options.float(OPTIONS.cellClip),
  };
  const [y = "", ...after] = source.values.push("LSTM", source.name, inputs, attributes, 3);
  for (const [i, state] of states.entries()) state.write(after[i]!);
  source.end(source.add("Squeeze", [y], { axes: [isBatchFirst ? 2 : 1] }));
}

export const recurrent: Conversions = { UNIDIRECTIONAL_SEQUENCE_LSTM: lstm };
