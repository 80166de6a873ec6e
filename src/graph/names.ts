// Fresh names: each tried name counts on from the last number it got, so that n of one spelling take n steps.

/** Letters of a name that are told in an error. */
const MAX_TOLD = 64;

export class FreshNames {
  readonly #taken: Set<string>;
  readonly #separator: string;
  /** The last number tried for a wanted name. */
  readonly #last = new Map<string, number>();

  constructor(taken: Iterable<string>, separator = "_") {
    this.#taken = new Set(taken);
    this.#separator = separator;
  }

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** `wanted`, or the first of `wanted_2`, `wanted_3` … that is free; taken from now on. */
  fresh(wanted: string): string {
    let name = wanted;
    let i = this.#last.get(wanted) ?? 1;
    while (this.#taken.has(name)) name = `${wanted}${this.#separator}${++i}`;
    if (i > 1) this.#last.set(wanted, i);
    this.#taken.add(name);
    return name;
  }
}

/** A name in an error. */
export const told = (name: string): string => (name.length > MAX_TOLD ? `${name.slice(0, MAX_TOLD)}…` : name);

/** The first few of many names, and how many more there are. */
export function toldNames(names: readonly string[], most = 8): string {
  const shown = names.slice(0, most).map(told).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
