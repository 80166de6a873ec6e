// What the toolkit says to models that are none: a slip ends in a sentence, not in a TypeError.

import { expect, test } from "vitest";
import { importOnnx, loadSync, save } from "../src/index";
import { denseGraph } from "./check-model";

const graph = denseGraph({ k: 3, n: 2, mode: "float" });

test.each([
  [
    "a path for bytes",
    () => importOnnx("digits.onnx" as never),
    /expected a Uint8Array.*got string.*load\(\)/,
  ],
  ["no bytes", () => importOnnx(new Uint8Array(), { name: "digits" }), /^digits: is too short.*got 0 bytes/],
  ["too few", () => loadSync(Uint8Array.of(1, 2, 3, 4)), /is too short for a model/],
  ["an .octette", () => importOnnx(save(graph)), /is an \.octette.*load\(\) runs it/],
])("importOnnx, %s", (_, attempt, message) => {
  expect(attempt).toThrow(expect.objectContaining({ message: expect.stringMatching(message) }));
});
