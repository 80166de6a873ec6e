// Sequences that a Loop carries from one iteration to the next. A list that keeps its length is carried element by element. One that
// iterations add to is what they make, stacked. Where an iteration reads what those before it added, the list is carried as a tensor.

import type { Node } from "../../graph/graph";
import { tensor } from "../../graph/tensor";
import { I32_MIN } from "../elements";
import { elementOf, elementsOf, ReadBefore, Stacks } from "./pieces";
import type { Piece, Sequence, Source, Subgraph } from "./source";

/** A Loop without sequences. */
interface Looped {
  readonly before: readonly Node[];
  readonly body: Subgraph;
  /** What it carries at first. */
  readonly carried: readonly string[];
  readonly outputs: readonly string[];
  readonly after: readonly Node[];
}

/** How a sequence is carried. */
type Way = "elements" | "added" | "stacked";

const waysOf = (sequence: Sequence | undefined): Way[] => {
  if (!sequence) return [];
  if (sequence.length === 0) return ["added"];
  return elementsOf(sequence) ? ["elements", "added", "stacked"] : ["added", "stacked"];
};

export function looped(source: Source): Looped {
  const given = source.inputs.slice(2);
  const sequences = given.map((name) => source.sequences.get(name));
  if (!sequences.some(Boolean))
    return { before: [], body: source.graph("body"), carried: given, outputs: source.outputs, after: [] };
  source.ignore(...given);
  const ways = sequences.map(waysOf);
  for (;;) {
    const made = attempt(
      source,
      given,
      sequences,
      ways.map(([way]) => way),
    );
    if (typeof made !== "number") return made;
    if (ways[made]!.length < 2)
      throw source.error(`what its body does with the list "${given[made]}" is not known before a run`, {
        expected: "a list of known elements, or one that each iteration adds elements of one shape to",
        hint: "Begin the list with an element where iterations read those before, or keep that in a tensor",
      });
    ways[made]!.shift();
  }
}

/** The loop, or the place of a sequence that has to be carried in another way. */
function attempt(
  source: Source,
  given: readonly string[],
  sequences: readonly (Sequence | undefined)[],
  ways: readonly (Way | undefined)[],
): Looped | number {
  const marks = sequences.map(() => ({}));
  try {
    return new Turn(source, given, sequences, ways, marks).loop();
  } catch (error) {
    const at = error instanceof ReadBefore ? marks.indexOf(error.before) : -1;
    if (at < 0) throw error;
    return at;
  }
}

class Turn {
  readonly #source: Source;
  readonly #given: readonly string[];
  readonly #sequences: readonly (Sequence | undefined)[];
  readonly #ways: readonly (Way | undefined)[];
  readonly #marks: readonly object[];
  readonly #before: Stacks;
  readonly #inner: Stacks;
  readonly #after: Stacks;
  /** What iterations add: names in the body, and of all together. */
  readonly #added: (readonly [made: string, output: string])[] = [];

  constructor(
    source: Source,
    given: readonly string[],
    sequences: readonly (Sequence | undefined)[],
    ways: readonly (Way | undefined)[],
    marks: readonly object[],
  ) {
    this.#source = source;
    this.#given = given;
    this.#sequences = sequences;
    this.#ways = ways;
    this.#marks = marks;
    [this.#before, this.#inner, this.#after] = [new Stacks(source), new Stacks(source), new Stacks(source)];
  }

  loop(): Looped | number {
    const [source, given] = [this.#source, this.#given];
    const own: string[] = [];
    const body = source.graph("body", (inputs) => {
      own.push(...inputs.slice(0, 2), ...given.flatMap((_, i) => this.#enter(inputs[i + 2] ?? "", i)));
    });
    const [condition = "", ...results] = body.outputs;
    const lists = given.map((_, i) => source.sequences.get(results[i] ?? ""));
    const carried: (readonly [first: string, made: string, output: string])[] = [];
    const ends: (readonly [name: string, sequence: Sequence])[] = [];
    for (const [i, first] of given.entries()) {
      const [sequence, list, output = ""] = [this.#sequences[i], lists[i], source.outputs[i]];
      if (!sequence !== !list)
        throw source.error(`its body makes no value of the kind of "${first}"`, {
          expected: sequence ? "a list of tensors" : "a tensor",
        });
      if (!sequence || !list) {
        carried.push([first, results[i]!, output]);
        continue;
      }
      const end = this.#end(i, sequence, list, carried);
      if (!end) return i;
      ends.push([output, end]);
    }
    for (const [name, sequence] of ends) source.sequences.set(name, sequence);
    const scans = results.slice(given.length);
    const outputs = [
      condition,
      ...carried.map(([, made]) => made),
      ...scans,
      ...this.#added.map(([made]) => made),
    ];
    return {
      before: this.#before.nodes,
      body: body.ending(own, outputs, this.#inner.nodes),
      carried: carried.map(([first]) => first),
      outputs: [
        ...carried.map(([, , output]) => output),
        ...scans.map((_, i) => source.outputs[given.length + i] ?? ""),
        ...this.#added.map(([, output]) => output),
      ],
      after: this.#after.nodes,
    };
  }

  /** The inputs that the body has for what is carried. */
  #enter(input: string, i: number): readonly string[] {
    const [sequence, source] = [this.#sequences[i], this.#source];
    if (!sequence) return [input];
    const way = this.#ways[i]!;
    const names = (way === "elements" ? sequence : way === "stacked" ? [0] : []).map(() =>
      source.fresh(`${source.name}_list`),
    );
    const [stack = ""] = names;
    const pieces: Record<Way, () => Sequence> = {
      elements: () => names.map((element) => ({ element })),
      stacked: () => [{ stack, axis: 0 }],
      added: () => [{ before: this.#marks[i]! }],
    };
    source.sequences.set(input, pieces[way]());
    return names;
  }

  /** The sequence after the loop; undefined where it has to be carried in another way. */
  #end(
    i: number,
    sequence: Sequence,
    list: Sequence,
    carried: (readonly [string, string, string])[],
  ): Sequence | undefined {
    const fresh = () => this.#source.fresh(`${this.#source.name}_list`);
    if (this.#ways[i] === "elements") {
      const made = elementsOf(list);
      if (made?.length !== sequence.length) return undefined;
      const outputs = made.map(fresh);
      for (const [k, element] of elementsOf(sequence)!.entries())
        carried.push([element, made[k]!, outputs[k]!]);
      return outputs.map((element) => ({ element }));
    }
    if (this.#ways[i] === "stacked") {
      const stack = fresh();
      carried.push([this.#before.whole(sequence), this.#inner.whole(list), stack]);
      return [{ stack, axis: 0 }];
    }
    const at = list.findIndex((piece) => "before" in piece && piece.before === this.#marks[i]);
    if (at < 0) return undefined;
    return [...this.#add(list.slice(0, at), true), ...sequence, ...this.#add(list.slice(at + 1), false)];
  }

  /** What all iterations add, where each adds these elements: at the end, or those of the last one first. */
  #add(list: Sequence, isReversed: boolean): Piece[] {
    if (list.length === 0) return [];
    const [source, inner, after] = [this.#source, this.#inner, this.#after];
    const isFlagged = list.some((piece) => "element" in piece && elementOf(piece) === undefined);
    const elements = list.flatMap((piece) => ("element" in piece ? [piece] : []));
    const hasFlags = isFlagged && elements.length === list.length;
    const pieces = hasFlags ? elements.map(({ element }) => ({ element })) : list;
    const one = pieces.length === 1 ? elementOf(pieces[0]) : undefined;
    const added = (made: string) => {
      const output = source.fresh(`${source.name}_added`);
      this.#added.push([made, output]);
      if (!isReversed) return output;
      const bounds = { starts: [-1], ends: [I32_MIN], axes: [0], steps: [-1] };
      return after.make("Slice", "reversed", [output], bounds);
    };
    const stack = one === undefined ? after.merge(added(inner.whole(pieces)), 0) : added(one);
    if (!hasFlags) return [{ stack, axis: 0 }];
    const always = source.define(`${source.name}_always`, tensor("bool", [1], [1]));
    const flags = elements.map(({ when }) => (when === undefined ? always : inner.flag(when)));
    const all = inner.make("Concat", "flags", flags, { axis: 0 });
    return [{ stack: after.compress(stack, after.merge(added(all), 0)), axis: 0 }];
  }
}
