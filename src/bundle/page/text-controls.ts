// The controls of what has no picture: whole numbers such as token ids, and tensors of any shape.

import type { Feed } from "../../engine/feeds";
import type { Input } from "../../graph/graph";
import { allocate } from "../../graph/tensor";
import type { Changed, Control, Say } from "./control";
import { choose, labelled, make } from "./dom";

/** Size of a dimension that a model leaves open, where nothing says it. */
const OPEN = 8;

/** A field of whole numbers. Where the model takes any number of them, as many as are written. */
export class IdsControl implements Control {
  readonly element: HTMLElement;
  readonly #input: Input;
  readonly #size: number | undefined;
  readonly #changed: Changed;
  readonly #say: Say;
  readonly #text: HTMLTextAreaElement;
  readonly #start: string;

  constructor(input: Input, size: number | undefined, changed: Changed, say: Say) {
    this.#input = input;
    this.#size = size;
    this.#changed = changed;
    this.#say = say;
    // A mask lets all through.
    this.#start = Array.from({ length: size ?? OPEN }, () => (/mask/i.test(input.name) ? 1 : 0)).join(" ");
    this.#text = make("textarea", { rows: 3, value: this.#start, spellcheck: false });
    this.#text.oninput = () => this.#changed();
    const what = input.dtype === "bool" ? "0 or 1" : "whole numbers";
    const label = `${size ?? "Any number of"} ${what}, separated by spaces or commas`;
    this.element = make("div", {}, labelled(label, this.#text));
  }

  read(): Feed | undefined {
    const texts = this.#text.value.split(/[\s,;]+/).filter((text) => text !== "");
    const wrong = texts.find((text) => !/^[+-]?\d+$/.test(text));
    const { dtype, shape } = this.#input;
    const message =
      wrong !== undefined
        ? `"${wrong}" is not a whole number.`
        : texts.length !== (this.#size ?? texts.length) || texts.length === 0
          ? `The model takes ${this.#size ?? "one or more"} numbers, got ${texts.length}.`
          : "";
    this.#say(message);
    if (message) return undefined;
    const numbers = texts.map(Number);
    const data =
      dtype === "bool" ? Uint8Array.from(numbers, (number) => (number ? 1 : 0)) : Int32Array.from(numbers);
    const open = this.#size === undefined ? shape.length - 1 : -1;
    return {
      dtype: dtype === "bool" ? "bool" : "i32",
      shape: shape.map((dim, axis) => (typeof dim === "number" ? dim : axis === open ? data.length : 1)),
      data,
    };
  }

  clear(): void {
    this.#text.value = this.#start;
    this.#changed();
  }
}

/** Ways to fill a tensor, by the place of an element. */
const FILLS: Readonly<Record<string, (at: number) => number>> = {
  zeros: () => 0,
  ones: () => 1,
  // The same everywhere: a sine of large numbers would not be.
  "numbers from −1 to 1": (at) => (((at + 1) * 2_654_435_761) % 65_536) / 32_768 - 1,
};

/** A tensor of any shape: filled, or given by its numbers. */
export class NumbersControl implements Control {
  readonly element: HTMLElement;
  readonly #input: Input;
  readonly #changed: Changed;
  readonly #say: Say;
  readonly #text = make("textarea", {
    rows: 3,
    spellcheck: false,
    placeholder: "or all numbers, separated by spaces",
  });
  #fill = FILLS.zeros!;

  constructor(input: Input, changed: Changed, say: Say) {
    this.#input = input;
    this.#changed = changed;
    this.#say = say;
    this.#text.oninput = () => this.#changed();
    const fill = choose(Object.entries(FILLS), (chosen) => {
      this.#fill = chosen;
      this.#changed();
    });
    const text = `${input.dtype} [${input.shape.join(", ")}]`;
    this.element = make("div", {}, labelled(`${text}, filled with`, fill), labelled("Numbers", this.#text));
  }

  read(): Feed | undefined {
    const { dtype, shape } = this.#input;
    const sizes = shape.map((dim, axis) => (typeof dim === "number" ? dim : axis === 0 ? 1 : OPEN));
    const data = allocate(
      dtype,
      sizes.reduce((product, size) => product * size, 1),
    );
    const given = this.#text.value.split(/[\s,;]+/).filter((text) => text !== "");
    const isWrong =
      given.length > 0 && (given.length !== data.length || given.some((text) => Number.isNaN(Number(text))));
    this.#say(isWrong ? `The model takes ${data.length} numbers, got ${given.length}.` : "");
    if (isWrong) return undefined;
    for (let at = 0; at < data.length; at++) data[at] = given.length > 0 ? Number(given[at]) : this.#fill(at);
    return { dtype, shape: sizes, data };
  }

  clear(): void {
    this.#text.value = "";
    this.#changed();
  }
}
