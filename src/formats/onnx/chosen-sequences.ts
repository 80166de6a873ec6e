// Sequences that an If makes: elements that both branches have are chosen one by one; those that one of them adds have its condition.

import type { Node } from "../../graph/graph";
import { tensor } from "../../graph/tensor";
import { withInputs } from "./parts";
import { elementOf, Stacks } from "./pieces";
import type { Piece, Sequence, Source, Subgraph } from "./source";

/** An If without sequences; no output where it chooses nothing. */
interface Chosen {
  readonly nodes: readonly Node[];
  readonly branches: readonly [then: Subgraph, other: Subgraph];
  readonly outputs: readonly string[];
}

const isSame = (a: Piece, b: Piece | undefined): boolean =>
  "before" in a
    ? b !== undefined && "before" in b && a.before === b.before
    : JSON.stringify(a) === JSON.stringify(b);

/** A node whose outputs are those of a graph, which a true condition chooses. */
export function always(
  source: Source,
  graph: Subgraph,
  given: readonly string[],
  outputs: readonly string[],
): Node {
  const condition = source.define(`${source.name}_always`, tensor("bool", [], [1]));
  const body = withInputs(graph, graph.captured);
  const parts = { op: "If", name: source.fresh(source.name), outputs };
  return {
    ...source.node({}, { ...parts, inputs: [condition, ...given, ...graph.captured] }),
    graphs: { then_branch: body, else_branch: body },
  };
}

export function chosen(source: Source): Chosen {
  const then = source.graph("then_branch");
  const made = then.outputs.map((name) => source.sequences.get(name));
  const other = source.graph("else_branch");
  const otherMade = other.outputs.map((name) => source.sequences.get(name));
  if (![...made, ...otherMade].some(Boolean))
    return { nodes: [], branches: [then, other], outputs: source.outputs };
  const choice = new Choice(source, then, other);
  for (const [i, output] of source.outputs.entries()) {
    const [a, b] = [made[i], otherMade[i]];
    if (!a !== !b) throw source.error(`only one of its branches makes a list of output ${i}`);
    if (a && b) source.sequences.set(output, choice.of(a, b));
    else choice.choose(then.outputs[i]!, other.outputs[i]!, output);
  }
  return choice.chosen();
}

class Choice {
  readonly #source: Source;
  readonly #then: Subgraph;
  readonly #other: Subgraph;
  readonly #around: Stacks;
  readonly #inThen: Stacks;
  readonly #inOther: Stacks;
  readonly #outputs: (readonly [then: string, other: string, output: string])[] = [];

  constructor(source: Source, then: Subgraph, other: Subgraph) {
    this.#source = source;
    this.#then = then;
    this.#other = other;
    [this.#around, this.#inThen, this.#inOther] = [
      new Stacks(source),
      new Stacks(source),
      new Stacks(source),
    ];
    source.ignore(...source.inputs);
  }

  choose(
    then: string,
    other: string,
    output: string = this.#source.fresh(`${this.#source.name}_list`),
  ): string {
    this.#outputs.push([then, other, output]);
    return output;
  }

  of(a: Sequence, b: Sequence): Sequence {
    const isShared = (p: Piece, q: Piece | undefined) => isSame(p, q) && this.#isAround(p);
    const pairs = a.map((p, i) => [p, b[i]] as const);
    if (a.length === b.length && pairs.every(([p, q]) => isShared(p, q) || (elementOf(p) && elementOf(q))))
      return pairs.map(([p, q]) =>
        isShared(p, q) ? p : { element: this.choose(elementOf(p)!, elementOf(q)!) },
      );
    const differs = pairs.findIndex(([p, q]) => !isShared(p, q));
    const first = differs < 0 ? a.length : differs;
    let last = 0;
    while (last < Math.min(a.length, b.length) - first && isShared(a.at(-1 - last)!, b.at(-1 - last))) last++;
    const [restA, restB] = [a.slice(first, a.length - last), b.slice(first, b.length - last)];
    return [...a.slice(0, first), ...this.#rest(restA, restB), ...a.slice(a.length - last)];
  }

  #isAround(piece: Piece): boolean {
    const names = "element" in piece ? [piece.element, piece.when] : "stack" in piece ? [piece.stack] : [];
    return names.every((name = "") => !this.#then.makes.has(name) && !this.#other.makes.has(name));
  }

  /** What the branches have beside the same elements. */
  #rest(a: Sequence, b: Sequence): Sequence {
    if (a.length > 0 && b.length > 0)
      return [{ stack: this.choose(this.#inThen.whole(a), this.#inOther.whole(b)), axis: 0 }];
    const [condition = ""] = this.#source.inputs;
    if (b.length === 0) return a.map((piece) => this.#when(piece, this.#then, condition));
    const otherwise = this.#around.make("Not", "otherwise", [condition]);
    return b.map((piece) => this.#when(piece, this.#other, otherwise));
  }

  /** An element that only one branch adds: its value is computed in any case. */
  #when(piece: Piece, branch: Subgraph, condition: string): Piece {
    if (!("element" in piece))
      throw this.#source.error("only one of its branches adds to a list what a loop makes", {
        expected: "single elements",
        hint: "Export the model with a list of the same length in both branches",
      });
    const { element, when } = piece;
    const own = [element, ...(when === undefined ? [] : [when])];
    const outside = own.map((name) => (branch.makes.has(name) ? this.#source.fresh(name) : name));
    const made = own.filter((name) => branch.makes.has(name));
    if (made.length > 0) {
      const outputs = outside.filter((_, i) => branch.makes.has(own[i]!));
      const graph = branch.ending(branch.inputs, made, []);
      this.#around.nodes.push(always(this.#source, graph, [], outputs));
    }
    const [value = "", flag] = outside;
    const both = flag === undefined ? condition : this.#around.make("And", "both", [condition, flag]);
    return { element: value, when: both };
  }

  chosen(): Chosen {
    const outputs = this.#outputs;
    const [then, other] = [this.#then, this.#other];
    return {
      nodes: this.#around.nodes,
      branches: [
        then.ending(
          then.inputs,
          outputs.map(([made]) => made),
          this.#inThen.nodes,
        ),
        other.ending(
          other.inputs,
          outputs.map(([, made]) => made),
          this.#inOther.nodes,
        ),
      ],
      outputs: outputs.map(([, , output]) => output),
    };
  }
}
