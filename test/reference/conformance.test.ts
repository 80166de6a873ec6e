// The reference's float and plain quantization operators against ONNX's own tests: all that the importer reads.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../src/errors";
import { type ConformanceCase, conformanceCases, expectConforms, type LoadedCase } from "../conformance";
import { runReference } from "./index";

/** The case, or undefined where the importer says that octette does not support it. */
function load(one: ConformanceCase): LoadedCase | undefined {
  try {
    return one.load();
  } catch (error) {
    if (error instanceof OctetteError && error.code === "unsupported") return undefined;
    throw error;
  }
}

const cases = conformanceCases().map((one) => ({ name: one.name, content: load(one) }));
const readable = cases.filter(({ content }) => content);

describe.skipIf(cases.length === 0)("ONNX's operator tests, rtol 1e-3, atol 1e-5", () => {
  test.for(readable)("$name", ({ content }) => {
    const { graph, feeds, expected } = content!;
    const values = runReference(graph, feeds);
    for (const [name, tensor] of Object.entries(expected)) expectConforms(values.get(name), tensor, name);
  });

  test("the importer reads at least 300 of them", () => expect(readable.length).toBeGreaterThanOrEqual(300));
});
