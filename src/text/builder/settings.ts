// Reads config.json: each setting by the names that families give it, with its type checked. What nobody read is an error in the end,
// so that no setting is passed over in silence.

import { OctetteError } from "../../errors";
import { brief } from "../../formats/checks";
import { HARMLESS, HARMLESS_KINDS, REQUIRED } from "./known-settings";

/** A setting's name, or the names it goes by, which have to say the same where several are there. */
export type SettingNames = string | readonly string[];

/** Largest count that a setting may give. */
export const MAX_COUNT = 2 ** 31 - 1;
/** Most positions for which a table of them is made. */
export const MAX_TABLE = 2 ** 24;
/** Most positions of a text whose tokens are told apart by their distances. */
export const MAX_DISTANCES = 2 ** 14;

export class Settings {
  readonly where: string;
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #read = new Set<string>();

  constructor(config: Readonly<Record<string, unknown>>, where: string) {
    this.#config = config;
    this.where = where;
  }

  /**
   * A value by the names that are present and not null; undefined when there is none. Throws where two of them say different things: a family
   * reads one of them only.
   */
  value(names: SettingNames): unknown {
    const all = [names].flat();
    this.ignore(...all);
    const [first, ...others] = all.filter(
      (one) => Object.hasOwn(this.#config, one) && this.#config[one] !== null,
    );
    const value = first === undefined ? undefined : this.#config[first];
    for (const name of others)
      if (JSON.stringify(this.#config[name]) !== JSON.stringify(value))
        throw this.wrong(name, `${brief(value)}, as ${first} says`, this.#config[name]);
    return value;
  }

  /** Says of settings that they are read, whatever they say. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** Whether the file says it, be it null. */
  says(name: string): boolean {
    this.#read.add(name);
    return Object.hasOwn(this.#config, name);
  }

  /** A finite number. When it is absent: `otherwise`, or an error without one. */
  number(names: SettingNames, otherwise?: number): number {
    const value = this.#or(names, otherwise);
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.wrong(names, "a number", value);
  }

  /** A number above 0. */
  positive(names: SettingNames, otherwise?: number): number {
    const value = this.number(names, otherwise);
    if (value > 0) return value;
    throw this.wrong(names, "a number above 0", value);
  }

  /** A whole number of at least `least`. */
  count(names: SettingNames, otherwise?: number, least = 1, most = MAX_COUNT): number {
    const value = this.number(names, otherwise);
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw this.wrong(names, `a whole number from ${least} to ${most}`, value);
  }

  flag(names: SettingNames, otherwise: boolean): boolean {
    const value = this.#or(names, otherwise);
    if (typeof value === "boolean") return value;
    throw this.wrong(names, "true or false", value);
  }

  text(names: SettingNames, otherwise?: string): string {
    const value = this.#or(names, otherwise);
    if (typeof value === "string") return value;
    throw this.wrong(names, "a text", value);
  }

  /** A list of `length` items that `is` accepts; undefined when it is absent. */
  list<T>(names: SettingNames, length: number, is: (item: unknown) => item is T): readonly T[] | undefined {
    const value = this.value(names);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.length === length && value.every(is)) return value;
    throw this.wrong(names, `a list of ${length}`, value);
  }

  /** An error about a setting that has no such value. */
  wrong(names: SettingNames, expected: string, got: unknown): OctetteError {
    const all = [names].flat();
    const name = all.find((one) => Object.hasOwn(this.#config, one)) ?? all[0];
    return new OctetteError(`config.json: ${name} has a value that octette does not know`, {
      code: "unsupported",
      where: this.where,
      expected,
      got: brief(got),
    });
  }

  #or(names: SettingNames, otherwise: unknown): unknown {
    const value = this.value(names) ?? otherwise;
    if (value !== undefined) return value;
    throw new OctetteError(`config.json has no ${[names].flat().join(" or ")}`, {
      code: "unsupported",
      where: this.where,
    });
  }

  /** Throws where the file says something that nothing read and that is not known to change nothing. */
  finish(): void {
    for (const [name, value] of Object.entries(this.#config)) {
      if (this.#read.has(name) || HARMLESS.has(name) || name.startsWith("_") || value === null) continue;
      const allowed = Object.hasOwn(REQUIRED, name) ? REQUIRED[name]! : undefined;
      if (allowed?.some((one) => JSON.stringify(one) === JSON.stringify(value))) continue;
      if (!allowed && HARMLESS_KINDS.test(name)) continue;
      if (allowed) throw this.wrong(name, allowed.map((one) => JSON.stringify(one)).join(" or "), value);
      throw new OctetteError(`config.json: ${name} is a setting that octette does not know`, {
        code: "unsupported",
        where: this.where,
        got: brief(value),
        hint: "Remove it where it changes nothing",
      });
    }
  }
}
