// A file that lacks any one of its tensors is refused, and so is one with a tensor of another shape: parts are found by which
// are there, and none may pass for a switch.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../../src/errors";
import type { LanguageSource } from "../../../src/formats/language-source";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import cases from "./families.json";

interface Case {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
}

const sourceOf = ({ config }: Case, tensors: Case["tensors"]): LanguageSource => ({
  where: "made",
  config,
  tensors: new Map(Object.entries(tensors).map(([name, shape]) => [name, { dtype: "F32", shape }])),
  read: () => Promise.reject(new Error("nothing is read")),
  text: {},
  close: async () => {},
});

/** What is not needed where hidden states alone are asked for, and frequencies, which can be computed. */
const isSpare = ({ config }: Case, tensor: string) =>
  tensor.endsWith("rotary_embeddings.inv_freq") ||
  (/Model$/.test(String((config.architectures as string[])[0])) && /^pooler\.(dense\.)?weight$/.test(tensor));

const all = cases as unknown as readonly Case[];

describe.each(all.map((one) => [one.name, one] as const))("%s", (_, one) => {
  test("each tensor is needed", () => {
    const missed = Object.keys(one.tensors).filter((name) => {
      const { [name]: _left, ...rest } = one.tensors;
      try {
        buildLanguageGraph(sourceOf(one, rest));
        return !isSpare(one, name);
      } catch (error) {
        expect(error).toBeInstanceOf(OctetteError);
        return false;
      }
    });
    expect(missed).toEqual([]);
  });

  test("each shape is checked", () => {
    for (const [name, shape] of Object.entries(one.tensors))
      for (const other of [
        [...shape, 1],
        ...(shape.length > 0 ? [shape.slice(1), shape.map((n) => n + 1)] : []),
      ])
        expect(() => buildLanguageGraph(sourceOf(one, { ...one.tensors, [name]: other })), name).toThrow(
          OctetteError,
        );
  });
});
