// The book's example, as its README shows it: every number of it is made anew.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const example = (name: string) => fileURLToPath(new URL(`../../examples/book/${name}`, import.meta.url));

test("examples/book prints what its README says", () => {
  const [, shown] = /\n```\n([^`]+)```\n/.exec(readFileSync(example("README.md"), "utf8"))!;
  expect(execFileSync(process.execPath, [example("run.js")], { encoding: "utf8" })).toBe(shown);
  const accuracies = [...shown!.matchAll(/^.*\S {2,}(\d+\.\d) % /gm)].map(([, percent]) => Number(percent));
  const [float, quantized, tuned] = accuracies as [number, number, number];
  expect(Math.abs(float - quantized)).toBeLessThan(1);
  expect(tuned).toBeGreaterThan(quantized + 10);
});
