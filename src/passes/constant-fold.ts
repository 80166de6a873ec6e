// Computes what does not depend on data: arithmetic on constants, and on shapes with symbols in them. Inputs that an
// op needs before a run (Op.parameters) become attributes, so that the chains exporters build around Reshape vanish.

import type { Attribute, Graph, Node, ValueType } from "../graph/graph";
import { countOf, type Dim } from "../graph/symbols";
import { bytesPerElement, sizeOf, type Tensor, tensor } from "../graph/tensor";
import { opOf, type Registry } from "../ops/infer";
import { type Known, type Op, opError } from "../ops/op";
import { checkReads } from "../ops/reads";

/** What folding may add to a model's constants, in bytes; what would take more is computed in every run. */
export const MAX_FOLDED_BYTES = 2 ** 26;

/** Parameters that are one number, which files also write as a list of one. All others are lists. */
const scalarParameters = new Set(["min", "max", "value"]);

/** Folds everything known into constants and attributes. */
export function foldConstants(graph: Graph, registry: Registry): Graph {
  const fold = new Folding(graph);
  const nodes = graph.nodes.flatMap((node) => fold.visit(node, opOf(registry, node.op, node.name)) ?? []);
  if (!fold.changed) return graph;
  return { ...graph, nodes, constants: new Map([...graph.constants, ...fold.made]) };
}

class Folding {
  changed = false;
  readonly made = new Map<string, Tensor>();
  readonly #known = new Map<string, Known>();
  readonly #types = new Map<string, ValueType>();
  /** Bytes that may still be made. */
  #left = MAX_FOLDED_BYTES;

  constructor(graph: Graph) {
    for (const input of graph.inputs) this.#types.set(input.name, input);
    for (const [name, constant] of graph.constants) {
      this.#known.set(name, constant);
      this.#types.set(name, constant);
      this.#left += constant.data.byteLength;
    }
  }

  /** The node with what is known as attributes, or undefined when its outputs are constants now. */
  visit(original: Node, op: Op): Node | undefined {
    const node = this.#withParameters(original, op);
    checkReads(node, op);
    if (node !== original) this.changed = true;
    const inputTypes = node.inputs.map((input) => this.#types.get(input));
    const types = op.infer(node, inputTypes);
    node.outputs.forEach((output, i) => {
      if (output !== "" && types[i]) this.#types.set(output, types[i]);
    });
    const results = node.region === undefined ? this.#evaluate(node, op, inputTypes, types) : undefined;
    if (!results) return node;
    // Dimensions over symbols stay known here; only numbers can become a constant.
    const tensors = results.map(tensorOf);
    results.forEach((result, i) => {
      const output = node.outputs[i];
      if (!output) return;
      this.#known.set(output, tensors[i] ?? result);
      this.#types.set(output, { dtype: result.dtype, shape: result.shape });
    });
    if (tensors.includes(undefined)) return node;
    node.outputs.forEach((output, i) => {
      if (output !== "") this.made.set(output, tensors[i]!);
    });
    this.changed = true;
    return undefined;
  }

  #evaluate(
    node: Node,
    op: Op,
    inputTypes: readonly (ValueType | undefined)[],
    types: readonly ValueType[],
  ): readonly Known[] | undefined {
    if (!op.evaluate) return undefined;
    const inputs = node.inputs.map((input) => this.#known.get(input));
    let bytes = 0;
    for (const { dtype, shape } of types) {
      const count = countOf(shape);
      if (typeof count === "number") bytes += count * bytesPerElement[dtype];
    }
    if (bytes > this.#left) return undefined;
    const results = op.evaluate(node, inputs, inputTypes);
    if (!results || node.outputs.some((output, i) => output !== "" && !results[i])) return undefined;
    this.#left -= bytes;
    return results;
  }

  /** Known parameters moved from the inputs to the attributes. */
  #withParameters(node: Node, op: Op): Node {
    if (!op.parameters) return node;
    const inputs = [...node.inputs];
    const attributes: Record<string, Attribute> = { ...node.attributes };
    for (const [key, name] of Object.entries(op.parameters)) {
      const index = Number(key);
      const known = this.#known.get(inputs[index] ?? "");
      if (!known) continue;
      if (attributes[name] !== undefined)
        throw opError(node, `input ${key} and attribute ${name} are both given`, { expected: "one of them" });
      const values = Array.from(known.data);
      attributes[name] = scalarParameters.has(name) && values.length === 1 ? values[0]! : values;
      inputs[index] = "";
    }
    while (inputs.at(-1) === "") inputs.pop();
    return inputs.length === node.inputs.length && inputs.every((input, i) => input === node.inputs[i])
      ? node
      : { ...node, inputs, attributes };
  }
}

/** The tensor of a known value without symbols, whose integers i32 can hold. */
function tensorOf({ dtype, shape, data }: Known): Tensor | undefined {
  if (ArrayBuffer.isView(data)) return { dtype, shape, data } as Tensor;
  const values: Dim[] = Array.from(data);
  if (!values.every((value) => typeof value === "number") || values.length !== sizeOf(shape))
    return undefined;
  if (dtype === "i32" && values.some((value) => value !== (value | 0))) return undefined;
  return tensor(dtype, shape, values);
}
