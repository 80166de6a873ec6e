// What a model answers: classes as bars, a few numbers as a table, many as a line, maps as pictures. Two models' answers stand side by side.

import type { Tensor, TypedArray } from "../../graph/tensor";
import { softmax } from "../../runtime/scores";
import { choose, labelled, make } from "./dom";
import { drawLine, extentOf } from "./plot";

/** Most classes that are all shown, in their order; of more the best few. */
const ALL = 12;
const BEST = 5;
/** Most numbers that are written out. */
const WRITTEN = 16;
/** Least side of a map that is shown as a picture. */
const MAP = 8;

/** An answer, and whose: "" where there is one model. */
export interface Answer {
  readonly of: string;
  readonly tensor: Tensor;
}

type View = "classes" | "numbers" | "picture";

export class OutputView {
  readonly element: HTMLElement;
  readonly #classes: readonly string[] | undefined;
  readonly #body = make("div", { className: "answer" });
  readonly #choice = make("div", { className: "choice" });
  #view: View | undefined;
  #answers: readonly Answer[] = [];

  constructor(name: string, classes: readonly string[] | undefined, isOnly: boolean) {
    this.#classes = classes;
    this.element = make("section", {}, ...(isOnly ? [] : [make("h3", {}, name)]), this.#body, this.#choice);
  }

  /** Shows answers, and returns the first in a few words, for who hears the page. */
  show(answers: readonly Answer[]): string {
    this.#answers = answers;
    const { tensor } = answers[0]!;
    const views = viewsOf(tensor, this.#classes);
    if (!this.#view || !views.includes(this.#view)) {
      this.#view = views[0]!;
      const select = choose(
        views.map((view) => [view, view] as const),
        (view) => {
          this.#view = view;
          this.show(this.#answers);
        },
      );
      this.#choice.replaceChildren(...(views.length > 1 ? [labelled("Show as", select)] : []));
    }
    const { element, text } = {
      classes: () => classesOf(answers, this.#classes),
      numbers: () => numbersOf(answers),
      picture: () => pictureOf(tensor),
    }[this.#view]();
    this.#body.replaceChildren(element);
    if (this.#view === "numbers") for (const draw of later) draw();
    later.length = 0;
    return text;
  }
}

/** What is drawn once it stands in the page, whose colours it takes. */
const later: (() => void)[] = [];

/** The ways to show a tensor, the likeliest first. */
function viewsOf({ dtype, shape, data }: Tensor, classes: readonly string[] | undefined): readonly View[] {
  const spatial = shape.filter((size) => size >= MAP);
  const [channels] = shape.length === 4 ? shape.slice(1) : [];
  if (shape.length === 4 && spatial.length >= 2 && (channels === 1 || channels === 3))
    return ["picture", "numbers"];
  const isRow = (shape.at(-1) ?? 1) === data.length || shape[1] === data.length;
  const isSome = data.length > 1 && isRow && (dtype === "f32" || dtype === "u8" || dtype === "i8");
  if (!isSome) return ["numbers"];
  return classes && classes.length !== data.length ? ["numbers", "classes"] : ["classes", "numbers"];
}

/** Shares of all classes: as they are where they are shares, else the softmax of logits. */
export function sharesOf({ dtype, data }: Pick<Tensor, "dtype" | "data">): number[] {
  const numbers = [...data];
  if (dtype !== "f32") {
    const positive = numbers.map((code) => code + (dtype === "i8" ? 128 : 0));
    const sum = positive.reduce((a, b) => a + b, 0) || 1;
    return positive.map((code) => code / sum);
  }
  const sum = numbers.reduce((a, b) => a + b, 0);
  if (Math.abs(sum - 1) < 0.01 && numbers.every((number) => number >= 0)) return numbers;
  return [...softmax({ dtype, shape: [data.length], data }).data];
}

/** Where the largest is. */
export const indexOfLargest = (numbers: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i]! > numbers[best]!) best = i;
  return best;
};

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function classesOf(answers: readonly Answer[], names: readonly string[] | undefined) {
  const shares = answers.map(({ tensor }) => sharesOf(tensor));
  const isNamed = names?.length === answers[0]!.tensor.data.length;
  const nameOf = (at: number) => (isNamed && names[at]) || `${at}`;
  const best = shares.map(indexOfLargest);
  const count = shares[0]!.length;
  const order = Array.from({ length: count }, (_, i) => i);
  const shown =
    count <= ALL
      ? order
      : [...new Set(shares.flatMap((own) => order.toSorted((a, b) => own[b]! - own[a]!).slice(0, BEST)))];
  const bar = (share: number, isBest: boolean) => {
    const filled = make("span", { className: isBest ? "filled best" : "filled" });
    filled.style.width = `${100 * share}%`;
    return make("span", { className: "bar", ariaHidden: "true" }, filled);
  };
  const row = (at: number) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, nameOf(at)),
      ...shares.flatMap((own, i) => [
        make("td", { className: "bars" }, bar(own[at]!, at === best[i])),
        make("td", { className: "number" }, percent(own[at]!)),
      ]),
    );
  const headings = answers.map(({ of }, i) =>
    make(
      "p",
      { className: "verdict" },
      ...(of ? [make("span", { className: "whose" }, of)] : []),
      make("strong", {}, nameOf(best[i]!)),
      make("span", {}, percent(shares[i]![best[i]!]!)),
    ),
  );
  const head = make(
    "thead",
    { className: answers.length > 1 ? "" : "heard" },
    make(
      "tr",
      {},
      make("th", { scope: "col" }, "class"),
      ...answers.map(({ of }) => make("th", { scope: "col", colSpan: 2 }, of || "share")),
    ),
  );
  const table = make("table", { className: "classes" }, head, make("tbody", {}, ...shown.map(row)));
  const text = answers.map(
    ({ of }, i) => `${of ? `${of}: ` : ""}${nameOf(best[i]!)}, ${percent(shares[i]![best[i]!]!)}`,
  );
  return {
    element: make("div", {}, make("div", { className: "verdicts" }, ...headings), table),
    text: text.join("; "),
  };
}

/** A number in few digits. */
const written = (number: number) =>
  Number.isInteger(number)
    ? `${number}`
    : Math.abs(number) >= 1e6 || Math.abs(number) < 1e-4
      ? number.toExponential(3)
      : `${Number(number.toPrecision(5))}`;

function numbersOf(answers: readonly Answer[]) {
  const { shape, data } = answers[0]!.tensor;
  const size = `[${shape.join(", ")}]`;
  if (data.length <= WRITTEN) {
    const cells = (at: number) =>
      answers.map(({ tensor }) => make("td", { className: "number" }, written(tensor.data[at]!)));
    const rows = Array.from(data, (_, at) =>
      make("tr", {}, ...(data.length > 1 ? [make("th", { scope: "row" }, `${at}`)] : []), ...cells(at)),
    );
    const head = make(
      "tr",
      {},
      ...(data.length > 1 ? [make("th", { scope: "col" }, "place")] : []),
      ...answers.map(({ of }) => make("th", { scope: "col" }, of || "number")),
    );
    const table = make(
      "table",
      { className: "numbers" },
      make("thead", { className: answers.length > 1 ? "" : "heard" }, head),
      make("tbody", {}, ...rows),
    );
    return { element: table, text: [...data].map(written).join(", ") };
  }
  const [lo, hi] = extentOf(data);
  const mean = (data as Float32Array).reduce((sum, number) => sum + number, 0) / data.length;
  const text = `${data.length} numbers ${size}, from ${written(lo)} to ${written(hi)}, mean ${written(mean)}`;
  const canvas = make("canvas", { width: 640, height: 160, className: "wave", role: "img", ariaLabel: text });
  later.push(() => drawLine(canvas, data, [lo, hi]));
  return { element: make("figure", {}, canvas, make("figcaption", {}, text)), text };
}

/** A map of one or three channels, from its lowest number to its highest. */
function pictureOf({ shape, data }: Tensor) {
  const [, channels = 1, height = 1, width = 1] = shape;
  const [lo, hi] = extentOf(data);
  const canvas = make("canvas", { width, height, className: "map", role: "img" });
  const image = new ImageData(width, height);
  const at = (channel: number, pixel: number) =>
    ((data as TypedArray)[(channel % channels) * width * height + pixel]! - lo) / (hi - lo || 1);
  for (let pixel = 0; pixel < width * height; pixel++)
    image.data.set([255 * at(0, pixel), 255 * at(1, pixel), 255 * at(2, pixel), 255], 4 * pixel);
  canvas.getContext("2d")!.putImageData(image, 0, 0);
  const text = `a map of ${width} × ${height}, from ${written(lo)} to ${written(hi)}`;
  canvas.ariaLabel = text;
  return { element: make("figure", {}, canvas, make("figcaption", {}, text)), text };
}
