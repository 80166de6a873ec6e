// Whether a checkpoint is of the run that would go on from it: the same model, and every option that the result depends on.

import { OctetteError } from "../errors";

export interface Run {
  /** Content hash of the artifact that is trained. */
  readonly model: string;
  /** The options, as JSON. */
  readonly options: string;
}

type Options = Readonly<Record<string, unknown>>;

/** Throws where they are two, and says what is different. */
export function checkSameRun(wanted: Run, saved: Run): void {
  const isModel = wanted.model === saved.model;
  if (isModel && wanted.options === saved.options) return;
  const [ours, its] = [JSON.parse(wanted.options) as Options, JSON.parse(saved.options) as Options];
  const names = [...new Set([...Object.keys(its), ...Object.keys(ours)])];
  const different = names.filter((name) => JSON.stringify(ours[name]) !== JSON.stringify(its[name]));
  const shown = (options: Options) =>
    different.map((name) => `${name} ${JSON.stringify(options[name]) ?? "none"}`).join(", ");
  throw new OctetteError("the checkpoint is of another run", {
    code: "argument",
    where: "checkpoint",
    expected: isModel ? shown(ours) : "one of this model",
    got: isModel ? shown(its) : "one of another",
    hint: "Resume with the model and options it was begun with, or begin anew",
  });
}
