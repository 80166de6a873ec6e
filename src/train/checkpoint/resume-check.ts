// Whether a checkpoint is of the run that would go on from it: the same model, and every option that the result depends on.

import { OctetteError } from "../../errors";

export interface Run {
  /** Content hash of the artifact that is trained. */
  readonly model: string;
  /** The options, as JSON. */
  readonly options: string;
}

type Options = Readonly<Record<string, unknown>>;

/** Differences that are told, and letters of each: a file may hold anything. */
const [MOST_SHOWN, MOST_LETTERS] = [16, 200];

/** The options, or none where the text is no object. */
function optionsOf(json: string): Options {
  try {
    return Object(JSON.parse(json));
  } catch {
    return {};
  }
}

/** Throws where they are two, and says what is different. */
export function checkSameRun(wanted: Run, saved: Run): void {
  const isModel = wanted.model === saved.model;
  if (isModel && wanted.options === saved.options) return;
  const [ours, its] = [optionsOf(wanted.options), optionsOf(saved.options)];
  const names = [...new Set([...Object.keys(its), ...Object.keys(ours)])];
  const different = names.filter((name) => JSON.stringify(ours[name]) !== JSON.stringify(its[name]));
  const shown = (options: Options) =>
    different
      .slice(0, MOST_SHOWN)
      .map((name) => `${name} ${JSON.stringify(options[name]) ?? "none"}`.slice(0, MOST_LETTERS))
      .join(", ");
  throw new OctetteError("the checkpoint is of another run", {
    code: "argument",
    where: "checkpoint",
    expected: isModel ? shown(ours) : "one of this model",
    got: isModel ? shown(its) : "one of another",
    hint: "Resume with the model and options it was begun with, or begin anew",
  });
}
