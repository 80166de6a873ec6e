// Keys of a GGUF file's metadata, each with its type checked. Of those that say how the model computes, one that nobody read is an
// error in the end, so that none is passed over in silence.

import { FormatError, OctetteError } from "../../errors";
import { brief } from "../checks";
import type { GgufValue } from "./metadata";

/** Keys below the architecture's name that change nothing of what is computed, or that tensors say themselves. */
const HARMLESS = new Set([
  "vocab_size",
  "feed_forward_length",
  "tensor_data_layout",
  "rope.scaling.finetuned",
]);

export class GgufKeys {
  readonly where: string;
  readonly #values: ReadonlyMap<string, GgufValue>;
  readonly #read = new Set<string>();

  constructor(values: ReadonlyMap<string, GgufValue>, where: string) {
    this.#values = values;
    this.where = where;
  }

  /** What a key has; undefined where it is not there. */
  value(key: string): GgufValue | undefined {
    this.#read.add(key);
    return this.#values.get(key);
  }

  number(key: string): number | undefined {
    const value = this.value(key);
    if (value === undefined || (typeof value === "number" && Number.isFinite(value))) return value;
    throw this.wrong(key, "a number", value);
  }

  /** A whole number above 0. */
  count(key: string): number | undefined {
    const value = this.number(key);
    if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return value;
    throw this.wrong(key, "a whole number above 0", value);
  }

  needCount(key: string): number {
    return this.count(key) ?? fail(this.missing(key));
  }

  needNumber(key: string): number {
    return this.number(key) ?? fail(this.missing(key));
  }

  flag(key: string): boolean | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.wrong(key, "true or false", value);
  }

  text(key: string): string | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === "string") return value;
    throw this.wrong(key, "a text", value);
  }

  texts(key: string): readonly string[] | undefined {
    const value = this.value(key);
    if (value === undefined || isTexts(value)) return value;
    throw this.wrong(key, "a list of texts", value);
  }

  /** A list of numbers; one number alone counts as one of all layers where `length` is given. */
  numbers(key: string, length?: number): ArrayLike<number> | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (ArrayBuffer.isView(value) && (length === undefined || value.length === length)) return value;
    if (typeof value === "number" && length !== undefined) return new Float64Array(length).fill(value);
    throw this.wrong(
      key,
      length === undefined ? "a list of numbers" : `a number, or a list of ${length}`,
      value,
    );
  }

  wrong(key: string, expected: string, got: unknown): FormatError {
    return new FormatError(`the key "${key}" is wrong`, { where: this.where, expected, got: brief(got) });
  }

  /** Throws where the file says something of its architecture that nothing read. */
  finish(architecture: string): void {
    for (const [key, value] of this.#values) {
      if (!key.startsWith(`${architecture}.`) || this.#read.has(key)) continue;
      if (HARMLESS.has(key.slice(architecture.length + 1))) continue;
      throw new OctetteError(`${key} is a key that octette does not know`, {
        code: "unsupported",
        where: this.where,
        got: brief(value),
        hint: "It may change what the model computes",
      });
    }
  }

  missing(key: string): FormatError {
    return new FormatError(`has no key "${key}"`, { where: this.where });
  }
}

const fail = (error: FormatError): never => {
  throw error;
};

const isTexts = (value: GgufValue): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
