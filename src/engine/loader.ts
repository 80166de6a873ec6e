// Fills the constants of a plan as they arrive, in whatever order a file holds them: each is copied, or read straight,
// to its place, and a group is packed as soon as all of it is there. Nothing is kept that no group still waits for.

import { OctetteError } from "../errors";
import { bytesIn } from "../graph/tensor";
import type { LoadGroup } from "./plan";

/** Most bytes of memory that is lent: scales of groups are that small, and all of them more than an engine collects in time. */
const MOST_LENT = 2 ** 22;

/** Names of the constants a group reads. */
const namesOf = ({ copies }: LoadGroup): string[] =>
  copies.flatMap((copy) => ("constant" in copy ? [copy.constant] : []));

/** What takes constants whose elements the graph does not have. */
export type ConstantSink = Pick<Loader, "missing" | "placeOf" | "put">;

export class Loader {
  readonly #memory: Uint8Array;
  readonly #call: (kernel: string, args: readonly number[]) => unknown;
  /** Groups that wait for a constant. */
  readonly #waiting = new Map<string, Set<LoadGroup>>();
  /** Bytes that a group needs which still waits for others. */
  readonly #arrived = new Map<string, Uint8Array>();
  /** Memory that one constant at a time is lent while it waits. */
  #spare = new Uint8Array();
  #isLent = false;

  constructor(
    loads: readonly LoadGroup[],
    memory: Uint8Array,
    call: (kernel: string, args: readonly number[]) => unknown,
  ) {
    this.#memory = memory;
    this.#call = call;
    for (const group of loads) {
      const names = namesOf(group);
      if (names.length === 0) this.#fill(group, names);
      for (const name of names)
        this.#waiting.set(name, (this.#waiting.get(name) ?? new Set<LoadGroup>()).add(group));
    }
  }

  /** Names of constants that are still waited for. */
  get missing(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  /**
   * Memory that a constant with one place can be read to: the place itself, where nothing else is missing there, or memory in which a small
   * one waits for the others, one after another.
   */
  placeOf(name: string): Uint8Array | undefined {
    const [group, ...others] = this.#waiting.get(name) ?? [];
    if (!group || others.length > 0) return undefined;
    const [place, ...more] = group.copies.filter((copy) => "constant" in copy && copy.constant === name);
    if (!place || !("constant" in place) || place.from !== undefined || more.length > 0) return undefined;
    const isLast = namesOf(group).every((other) => other === name || this.#arrived.has(other));
    if (isLast) return this.#memory.subarray(place.at, place.at + place.bytes);
    if (this.#isLent || place.bytes > MOST_LENT) return undefined;
    this.#isLent = true;
    if (this.#spare.length < place.bytes) this.#spare = new Uint8Array(place.bytes);
    return this.#spare.subarray(0, place.bytes);
  }

  /** Takes the bytes of a constant, which may lie in their place already, and packs what was waiting for them. */
  put(name: string, bytes: Uint8Array): void {
    const groups = this.#waiting.get(name);
    if (!groups) return;
    this.#arrived.set(name, bytes);
    for (const group of [...groups]) {
      const names = namesOf(group);
      if (names.every((other) => this.#arrived.has(other))) this.#fill(group, names);
    }
  }

  #fill(group: LoadGroup, names: readonly string[]): void {
    for (const copy of group.copies) {
      const bytes =
        "constant" in copy ? partOf(this.#arrived.get(copy.constant)!, copy) : bytesIn(copy.numbers);
      const isThere = bytes.buffer === this.#memory.buffer && bytes.byteOffset === copy.at;
      if (!isThere) this.#memory.set(bytes, copy.at);
      if ("constant" in copy && copy.isFlipped)
        for (let i = copy.at; i < copy.at + copy.bytes; i++) this.#memory[i]! ^= 0x80;
    }
    for (const { kernel, args, expected } of group.calls)
      if (this.#call(kernel, args) && expected)
        throw new OctetteError("its numbers do not fit", {
          code: "graph",
          where: `constant "${names[0]}"`,
          expected,
        });
    for (const name of names) {
      const waiting = this.#waiting.get(name);
      waiting?.delete(group);
      if (waiting?.size !== 0) continue;
      this.#waiting.delete(name);
      if (this.#arrived.get(name)!.buffer === this.#spare.buffer) this.#isLent = false;
      this.#arrived.delete(name);
    }
  }
}

const partOf = (bytes: Uint8Array, copy: { readonly from?: number; readonly bytes: number }): Uint8Array =>
  copy.from === undefined ? bytes : bytes.subarray(copy.from, copy.from + copy.bytes);
