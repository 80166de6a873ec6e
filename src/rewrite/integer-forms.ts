// Which nodes of a graph can be integer layers, and what each takes in: decided here for float models, which are quantized, and for
// models that came quantized.

import { consumersOf, type Graph, type Node, type ValueType } from "../graph/graph";
import { formatShape } from "../graph/symbols";
import { inferTypes, type ToolkitOps } from "../ops/infer";
import { numberOf } from "../ops/op";

export class IntegerForms {
  readonly ops: ToolkitOps;
  readonly types: ReadonlyMap<string, ValueType>;
  readonly outputs: ReadonlySet<string>;
  readonly #graph: Graph;
  readonly #consumers: ReadonlyMap<string, readonly Node[]>;

  constructor(graph: Graph, ops: ToolkitOps, types = inferTypes(graph, ops)) {
    this.#graph = graph;
    this.ops = ops;
    this.types = types;
    this.outputs = new Set(graph.outputs);
    this.#consumers = consumersOf(graph);
  }

  readersOf(value: string): readonly Node[] {
    return this.#consumers.get(value) ?? [];
  }

  /** The one node that reads a value, where that is a float node and the value no output. */
  soleReader(value: string): Node | undefined {
    const [reader, ...others] = this.readersOf(value);
    return others.length === 0 && !this.outputs.has(value) && !reader?.codes ? reader : undefined;
  }

  /** The Relu or Clip that becomes bounds of a node's last step, which makes `value`. */
  activationAfter(node: Node, value = node.outputs[0]!): Node | undefined {
    const next = this.ops[node.op]?.fusesClamp ? this.soleReader(value) : undefined;
    return next && this.boundsOf(next) ? next : undefined;
  }

  /** Bounds of a float node that is a clamp. */
  boundsOf(node: Node): { readonly lo: number; readonly hi: number } | undefined {
    return node.codes ? undefined : this.ops[node.op]?.clamp?.(node);
  }

  /** Whether codes of a node's result are read as those of its input: it only moves elements, and pads with zeros. */
  keepsCodes(node: Node): boolean {
    const codes = this.ops[node.op]?.codes;
    return codes === "moves" || (codes === "pads" && numberOf(node, "value", 0) === 0);
  }

  /** Indices of the inputs that an integer layer reads as codes of activations, or why the node can be none. */
  activationsOf(node: Node): readonly number[] | string {
    const { op, inputs, outputs } = node;
    const { codes, images, lowerInteger } = this.ops[op] ?? {};
    if (images && this.types.get(inputs[0]!)!.shape.length > 4)
      return "it is over volumes, which have no integer kernel";
    if (!lowerInteger) return `${op} has no integer kernel`;
    const isComputed = (value: string) => value !== "" && !this.#graph.constants.has(value);
    if (codes === "layer" || codes === "recurrence")
      return isComputed(inputs[0]!) ? [0] : "its input is a constant";
    const computed = inputs.flatMap((value, i) => (isComputed(value) ? [i] : []));
    const typeOf = (i: number) => this.types.get(inputs[i]!);
    if (!computed.every((i) => typeOf(i)?.dtype === "f32")) return "it does not work on float numbers";
    if (outputs.slice(1).some((value) => value !== "")) return "it has more than one output";
    if (codes === "sum") {
      if (computed.length !== 2) return "one side is a constant";
      const shapes = computed.map((i) => formatShape(typeOf(i)!.shape));
      return shapes[0] === shapes[1] ? computed : `shapes ${shapes.join(" and ")} differ`;
    }
    if (codes === "join")
      return computed.length === inputs.length ? computed : "one of its inputs is a constant";
    if (codes !== "table" && codes !== "mean" && !this.keepsCodes(node)) return `${op} has no integer form`;
    const extra = inputs.slice(1).some((value) => value !== "");
    return extra || computed[0] !== 0 ? "it has inputs that are only known while running" : computed;
  }
}
