// The control of a row of numbers: a slider for each where they are few, and a field that takes a pasted or dropped CSV.

import type { Feed } from "../../engine/feeds";
import type { Input } from "../../graph/graph";
import type { Changed, Control, Say } from "./control";
import { button, labelled, make, messageOf } from "./dom";
import { MOST_SLIDERS } from "./kinds";
import { drawLine, extentOf } from "./plot";
import { type PastedRows, readRows } from "./rows";
import type { Known } from "./settings";

/** Standard deviations beside the mean that a slider reaches. */
const REACH = 3;
/** Steps of a slider. */
const STEPS = 200;

type Range = readonly [number, number];

export class VectorControl implements Control {
  readonly element: HTMLElement;
  readonly #input: Input;
  readonly #changed: Changed;
  readonly #say: Say;
  readonly #size: number;
  readonly #known: Known;
  readonly #sliders = make("div", { className: "sliders" });
  readonly #text = make("textarea", { rows: 3, spellcheck: false });
  readonly #turning = make("div", { className: "row" });
  #numbers: number[];
  #rows: PastedRows | undefined;
  #row = 0;

  constructor(input: Input, size: number, known: Known, changed: Changed, say: Say) {
    this.#input = input;
    this.#size = size;
    this.#known = known;
    this.#changed = changed;
    this.#say = say;
    this.#numbers = this.#middle();
    this.#text.placeholder = `${size} numbers, separated by commas or spaces; or drop a CSV file`;
    this.#text.oninput = () => this.#paste(this.#text.value);
    const file = make("input", { type: "file", accept: ".csv,.tsv,.txt,text/*" });
    file.onchange = async () => {
      const [chosen] = file.files ?? [];
      file.value = "";
      if (chosen) this.#paste(await chosen.text());
    };
    this.element = make(
      "div",
      { className: "vector" },
      ...(size <= MOST_SLIDERS ? [this.#sliders] : []),
      labelled("A row of a CSV", this.#text),
      make(
        "div",
        { className: "row" },
        make("label", { className: "button" }, "Choose a CSV", file),
        this.#turning,
        button("Reset", () => this.clear()),
      ),
    );
    this.element.ondragover = (event) => event.preventDefault();
    this.element.ondrop = async (event) => {
      event.preventDefault();
      const dropped = event.dataTransfer?.files[0];
      if (dropped) this.#paste(await dropped.text());
    };
    this.#show();
  }

  read(): Feed {
    const { shape, dtype, preprocessing } = this.#input;
    const sizes = shape.map((dim) => (typeof dim === "number" ? dim : 1));
    const limit = (lo: number, hi: number) =>
      this.#numbers.map((number) => Math.min(Math.max(Math.round(number), lo), hi));
    if (dtype === "u8" || (preprocessing && !preprocessing.of))
      return { dtype: "u8", shape: sizes, data: Uint8Array.from(limit(0, 255)) };
    if (dtype === "i8") return { dtype, shape: sizes, data: Int8Array.from(limit(-128, 127)) };
    return { dtype: "f32", shape: sizes, data: Float32Array.from(this.#numbers) };
  }

  thumbnail(): HTMLCanvasElement {
    const copy = make("canvas", { width: 96, height: 32 });
    drawLine(copy, this.#numbers);
    return copy;
  }

  clear(): void {
    this.#rows = undefined;
    this.#numbers = this.#middle();
    this.#text.value = "";
    this.#say("");
    this.#show();
    this.#changed();
  }

  /** Numbers that a feature has, as far as anyone knows. */
  #extentOf(feature: number): Range {
    if (this.#rows && this.#rows.rows.length > 1)
      return extentOf(this.#rows.rows.map((row) => row[feature]!));
    const { dtype, preprocessing } = this.#input;
    const { range = [-1, 1] } = this.#known;
    if (dtype === "i8") return [-128, 127];
    if (dtype === "u8" || (preprocessing && !preprocessing.of)) return [0, 255];
    if (!preprocessing) return range;
    const at = (list: readonly number[]) => list[feature % list.length]!;
    const [mean, std, { scale }] = [at(preprocessing.mean), at(preprocessing.std), preprocessing];
    const [lo, hi] = this.#known.range ?? [-REACH, REACH];
    return [(lo * std + mean) / scale, (hi * std + mean) / scale];
  }

  #middle(): number[] {
    return Array.from({ length: this.#size }, (_, i) => {
      const [lo, hi] = this.#extentOf(i);
      return lo <= 0 && hi >= 0 && !this.#input.preprocessing ? 0 : (lo + hi) / 2;
    });
  }

  #paste(text: string): void {
    if (text.trim() === "") return;
    try {
      this.#rows = readRows(text, this.#size);
      this.#turn(0);
      this.#say("");
    } catch (error) {
      this.#say(messageOf(error));
    }
  }

  /** Goes to a row of the data. */
  #turn(row: number): void {
    this.#row = row;
    this.#numbers = [...this.#rows!.rows[row]!];
    this.#show();
    this.#changed();
  }

  #show(): void {
    const rows = this.#rows?.rows ?? [];
    const to = (row: number) => () => this.#turn((row + rows.length) % rows.length);
    this.#turning.replaceChildren(
      ...(rows.length > 1
        ? [
            button("Previous", to(this.#row - 1)),
            make("span", {}, `row ${this.#row + 1} of ${rows.length}`),
            button("Next", to(this.#row + 1)),
          ]
        : []),
    );
    if (this.#size > MOST_SLIDERS) return;
    this.#sliders.replaceChildren(...this.#numbers.map((number, i) => this.#slider(i, number)));
  }

  #slider(feature: number, number: number): HTMLElement {
    const [lo, hi] = this.#extentOf(feature);
    const isWhole = this.read().dtype !== "f32";
    const name = this.#rows?.names?.[feature] ?? `${feature + 1}`;
    const bounds = {
      min: `${Math.min(lo, number)}`,
      max: `${Math.max(hi, number)}`,
      step: isWhole ? "1" : "any",
    };
    const slider = make("input", { type: "range", ...bounds, value: `${number}` });
    const field = make("input", {
      type: "number",
      step: isWhole ? "1" : "any",
      value: `${rounded(number)}`,
      ariaLabel: `${name}, as a number`,
    });
    if (!isWhole) slider.step = `${(Number(bounds.max) - Number(bounds.min)) / STEPS || 1}`;
    const set = (from: HTMLInputElement, to: HTMLInputElement) => () => {
      if (!Number.isFinite(from.valueAsNumber)) return;
      this.#numbers[feature] = from.valueAsNumber;
      to.value = `${rounded(from.valueAsNumber)}`;
      this.#changed();
    };
    slider.oninput = set(slider, field);
    field.oninput = set(field, slider);
    return make("div", { className: "slider" }, labelled(name, slider), field);
  }
}

const rounded = (number: number) => Number(number.toPrecision(4));
