// The page of a model: a control for each input, what the model answers as soon as there is something to answer, and what that costs.

import type { Feed } from "../../engine/feeds";
import type { Input } from "../../graph/graph";
import type { Tensor } from "../../graph/tensor";
import type { Control } from "./control";
import { make, messageOf } from "./dom";
import { arraysFor, Facts } from "./facts";
import { ImageControl } from "./image-control";
import { controlKindOf } from "./kinds";
import { LearnPanel } from "./learn-panel";
import { load } from "./octette.js";
import { type Answer, OutputView } from "./results";
import type { PageSettings } from "./settings";
import { SoundControl } from "./sound-control";
import { IdsControl, NumbersControl } from "./text-controls";
import { VectorControl } from "./vector-control";

/** Most threads that are asked for. */
const THREADS = 4;
/** Milliseconds without a change after which the answer is read out, and the run measured. */
const QUIET = 400;

const place = (id: string) => document.getElementById(id)!;
const settings: PageSettings = JSON.parse(document.querySelector("main")!.dataset.settings!);

try {
  await start();
} catch (error) {
  fail(error);
}

function fail(error: unknown): void {
  place("problem").textContent = messageOf(error);
}

async function start(): Promise<void> {
  const begin = performance.now();
  const model = await load({ threads: Math.min(THREADS, navigator.hardwareConcurrency || 1) });
  const facts = new Facts(model, performance.now() - begin);
  const views = model.outputs.map(
    ({ name }) => [name, new OutputView(name, model.classes, model.outputs.length === 1)] as const,
  );
  const controls = model.inputs.map((input) => [input.name, controlFor(input, changed)] as const);
  const isOnly = controls.length === 1;
  place("inputs").replaceChildren(
    ...controls.map(([name, control]) =>
      make("fieldset", {}, make("legend", { className: isOnly ? "heard" : "" }, name), control.element),
    ),
  );
  place("facts").replaceChildren(facts.element);
  let isAsked = false;
  let isFirst = true;
  let quiet = 0;

  /** Runs once the page has drawn what changed, however much that was. */
  function changed(): void {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      void run();
    });
  }

  /** What the controls have, once all of them have something. */
  function read(): Record<string, Feed> | undefined {
    const feeds: Record<string, Feed> = {};
    for (const [name, control] of controls) {
      const feed = control.read();
      if (!feed) return undefined;
      feeds[name] = feed;
    }
    return feeds;
  }

  const panel =
    settings.learning === ""
      ? new LearnPanel({
          ...{ model, settings, read, changed },
          thumbnails: () => controls.flatMap(([, control]) => control.thumbnail?.() ?? []),
        })
      : undefined;
  place("learning").replaceChildren(panel?.element ?? make("p", {}, settings.learning));

  async function run(): Promise<void> {
    const feeds = read();
    if (!feeds) return;
    try {
      const from = performance.now();
      const outputs = await model.run(feeds);
      if (isFirst) facts.first(performance.now() - from);
      isFirst = false;
      const tuned = await panel?.answer(feeds);
      const texts = views.map(([name, view]) => view.show(answersOf(outputs[name]!, tuned?.[name])));
      place("outputs").replaceChildren(...views.map(([, view]) => view.element));
      place("problem").textContent = "";
      clearTimeout(quiet);
      quiet = window.setTimeout(() => {
        place("heard").textContent = texts.join("; ");
        facts.measure(feeds, arraysFor(outputs));
      }, QUIET);
    } catch (error) {
      fail(error);
    }
  }

  changed();
}

const answersOf = (tensor: Tensor, tuned: Tensor | undefined): readonly Answer[] =>
  tuned
    ? [
        { of: "before", tensor },
        { of: "after", tensor: tuned },
      ]
    : [{ of: "", tensor }];

function controlFor(input: Input, changed: () => void): Control {
  const note = make("p", { className: "note", role: "status" });
  const say = (text: string) => {
    if (note.textContent !== text) note.textContent = text;
  };
  const known = { preprocessing: input.preprocessing, range: settings.ranges[input.name] };
  const kind = controlKindOf(input);
  const control =
    kind.kind === "image"
      ? new ImageControl(input, kind, known, changed, say)
      : kind.kind === "sound"
        ? new SoundControl(input, kind.samples, changed, say)
        : kind.kind === "vector"
          ? new VectorControl(input, kind.size, known, changed, say)
          : kind.kind === "ids"
            ? new IdsControl(input, kind.size, changed, say)
            : new NumbersControl(input, changed, say);
  control.element.append(note);
  return control;
}
