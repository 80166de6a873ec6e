// The nodes of a file's graphs, converted one after another, and the graphs of nodes.

import { OctetteError } from "../../errors";
import type { Node } from "../../graph/graph";
import { type FreshNames, told } from "../../graph/names";
import type { Tensor } from "../../graph/tensor";
import { type Constants, isConstant, isOnnx, readConstants } from "./constants";
import type { GraphProto, NodeProto } from "./proto";
import { type Conversions, Source, type Subgraph, type Surroundings } from "./source";
import { type HeldIn, rejectWide } from "./wide";

/** Nodes of a file. Simplified, a graph may have far fewer: exporters write shapes and constants with many. */
export const MAX_FILE_NODES = 2 ** 16;
/** What conversions of all graphs of a file share. */
export interface File extends Pick<Surroundings, "sequences"> {
  readonly conversions: Conversions;
  readonly opset: number;
  readonly versions: ReadonlyMap<string, number>;
  /** Names of values and nodes of all graphs: what one reads of another keeps its name. */
  readonly names: FreshNames;
  /** Nodes that there are so far. */
  made: number;
  readonly where: string;
}

export function checkNodes(length: number, where: string): void {
  if (length <= MAX_FILE_NODES) return;
  throw new OctetteError("the graph has too many nodes", {
    code: "limit",
    where,
    expected: `at most MAX_FILE_NODES = ${MAX_FILE_NODES}, those that operators are written with included`,
    got: `${length} or more`,
  });
}

/** What conversions know an operator by. */
export const operatorOf = ({ opType, domain }: NodeProto) =>
  isOnnx(domain) ? opType : `${domain}.${opType}`;

/** What is known of the values of a graph while its nodes are converted. */
interface Known {
  readonly constants: Constants;
  readonly held: HeldIn;
  /** Dimensions of values of the graph around it. */
  readonly rankAround?: (value: string) => number | undefined;
}

/** A graph of a node; `around` is known of the graph that the node is in. */
function readSubgraph(
  proto: GraphProto,
  name: string,
  file: File,
  around: Known,
  enter: ((inputs: readonly string[]) => void) | undefined,
): Subgraph {
  const constants = readConstants(proto, `${file.where}, graph "${told(name)}"`, around.constants);
  const held = rejectWide(proto, constants, around.held);
  const initialized = new Set(proto.initializers.map((own) => own.name));
  const given = proto.inputs.map((input) => input.name).filter((input) => !initialized.has(input));
  for (const input of given) file.sequences.delete(input);
  enter?.(given);
  const { nodes, defined } = convertNodes(proto, file, { ...around, constants, held });
  const makes = new Set([
    ...initialized,
    ...[...proto.nodes, ...nodes].flatMap(({ outputs }) => outputs),
    ...defined.keys(),
  ]);
  const ending: Subgraph["ending"] = (inputs, outputs, more) => {
    const all = [...nodes, ...more];
    const used = new Set([...all.flatMap((node) => node.inputs), ...outputs].filter(Boolean));
    const known = new Map([...constants.among(used), ...defined]);
    const own = new Set([...inputs, ...all.flatMap((node) => node.outputs), ...known.keys()]);
    const captured = [...used].filter((value) => !own.has(value));
    return { name, inputs, outputs, nodes: all, constants: known, captured, makes, ending };
  };
  return ending(
    given,
    proto.outputs.map((output) => output.name),
    [],
  );
}

/** The nodes of a graph, and constants that they were given. */
export function convertNodes(
  graph: GraphProto,
  file: File,
  { constants, held, rankAround }: Known,
): { readonly nodes: readonly Node[]; readonly defined: ReadonlyMap<string, Tensor> } {
  const { conversions, opset, versions, sequences } = file;
  const names = new Set(graph.nodes.map((node) => node.name).filter(Boolean));
  const fresh = (wanted: string) => file.names.fresh(wanted);
  const defined = new Map<string, Tensor>();
  const define = (wanted: string, value: Tensor) => {
    const name = fresh(wanted);
    defined.set(name, value);
    return name;
  };
  const ranks = new Map(
    [...graph.valueInfo, ...graph.inputs].map(({ name, shape }) => [name, shape?.length]),
  );
  const rank = (value: string) =>
    ranks.get(value) ?? constants.constant(value)?.shape.length ?? rankAround?.(value);
  const around = {
    fresh,
    define,
    rank,
    sequences,
    constant: constants.constant,
    kind: (value: string) => held(value).kind,
    graph: (proto: GraphProto, name: string, enter?: (inputs: readonly string[]) => void) =>
      readSubgraph(proto, name, file, { constants, held, rankAround: rank }, enter),
  };
  const nodes: Node[] = [];
  for (const [i, proto] of graph.nodes.entries()) {
    if (isConstant(proto)) continue;
    // The first node of a name keeps it.
    const isFirst = names.delete(proto.name);
    const name = isFirst ? proto.name : fresh(proto.name || `${proto.opType}_${i}`);
    const source = new Source(proto, name, {
      ...around,
      opset: isOnnx(proto.domain) ? (proto.opset ?? opset) : (versions.get(proto.domain) ?? 1),
    });
    const made = conversions[operatorOf(proto)]!(source);
    source.checkRead(made);
    for (const node of made) {
      nodes.push(node);
      for (const output of node.outputs) sequences.delete(output);
    }
    checkNodes((file.made += made.length), file.where);
  }
  return { nodes, defined };
}
