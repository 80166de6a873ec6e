// --report FILE: what a command measured, as one page.

import type { Evaluation, Graph, Model } from "../index";
import type { Context } from "./command";
import { memoryMap } from "./memory-map";
import { text, UsageError } from "./options";
import { type Report, reportPage } from "./report-page";
import type { SeenRange } from "./seen-range";

/** The option of commands that write a page. */
export const REPORT = {
  ...text("FILE", "also write a page about it, as .html: one file that loads nothing"),
  parse(path: string) {
    if (/\.html?$/i.test(path)) return path;
    throw new UsageError(`--report writes a page: FILE must end in .html, got "${path}"`);
  },
};

/** What a page is made of. */
export interface ReportParts {
  readonly graph: Graph;
  /** The model, loaded for one sample or more: its plan says what is in memory. */
  readonly model: Model;
  readonly facts: Report["facts"];
  readonly evaluation?: Evaluation | undefined;
  readonly noise?: Report["noise"] | undefined;
  readonly names: NonNullable<Report["names"]>;
  readonly ranges?: readonly SeenRange[];
}

export async function writeReport(
  path: string,
  { graph, model, facts, evaluation, noise, names, ranges = [] }: ReportParts,
  context: Pick<Context, "write" | "log">,
): Promise<void> {
  const page = reportPage({
    title: graph.name,
    facts,
    ...(evaluation ? { evaluation } : {}),
    ...(noise ? { noise } : {}),
    names,
    classes: graph.classes,
    ranges,
    memory: memoryMap(model),
  });
  await context.write(path, Buffer.from(page));
  context.log(`report → ${path}`);
}
