// Labels of a table: numbers, or names, which become numbers in sorted order.

import type { Tensor } from "../graph/tensor";
import { I32_MAX, I32_MIN } from "./elements";

/** How a table writes numbers. */
export const numberText = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const whole = /^[+-]?\d+$/;

/** Labels as they come: each name is a number until all are known. */
export class Labels {
  readonly #ids: Int32Array;
  readonly #names = new Map<string, number>();
  /** Where the first number and the first name stand. */
  #number: { readonly line: number; readonly name: string } | undefined;
  #text: { readonly line: number; readonly name: string } | undefined;
  #isWhole = true;

  constructor(rows: number) {
    this.#ids = new Int32Array(rows);
  }

  /** Whether the label cannot be one. */
  add(name: string, row: number, line: number): boolean {
    if (whole.test(name)) {
      const value = Number(name);
      if (value < I32_MIN || value > I32_MAX) return true;
      this.#number ??= { line, name };
    } else if (numberText.test(name)) {
      const value = Number(name);
      if (!Number.isFinite(Math.fround(value))) return true;
      if (value !== (value | 0)) this.#isWhole = false;
      this.#number ??= { line, name };
    } else this.#text ??= { line, name };
    let id = this.#names.get(name);
    if (id === undefined) this.#names.set(name, (id = this.#names.size));
    this.#ids[row] = id;
    return false;
  }

  table(
    rows: number,
    mixed: (line: number, name: string) => never,
  ): { readonly labels: Tensor; readonly classes?: readonly string[] } {
    const [first, other] = [this.#number, this.#text];
    if (first && other) {
      const later = first.line > other.line ? first : other;
      return mixed(later.line, later.name);
    }
    const names = [...this.#names.keys()];
    const classes = other ? [...names].sort((a, b) => (a < b ? -1 : 1)) : undefined;
    const places = classes && new Map(classes.map((name, i) => [name, i]));
    const numbers = names.map((name) => places?.get(name) ?? Number(name));
    const ids = this.#ids.subarray(0, rows);
    if (!this.#isWhole)
      return { labels: { dtype: "f32", shape: [rows], data: Float32Array.from(ids, (id) => numbers[id]!) } };
    const data = ids.map((id) => numbers[id]!);
    return { labels: { dtype: "i32", shape: [rows], data }, ...(classes ? { classes } : {}) };
  }
}
