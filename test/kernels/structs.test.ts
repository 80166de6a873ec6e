import { expect, test } from "vitest";
import { WINDOW_BYTES } from "../../assembly/lanes/window";
import { slideOf, windowWords } from "../../src/ops/window";

test("a Window that a kernel makes in scratch has room there, with a vector behind it", () => {
  const one = { inH: 1, inW: 1, outH: 1, outW: 1, kh: 1, kw: 1, padTop: 0, padLeft: 0 };
  const steps = { strideH: 1, strideW: 1, dilationH: 1, dilationW: 1 };
  expect(WINDOW_BYTES).toBeGreaterThanOrEqual(windowWords(slideOf({ ...one, ...steps }, 1)).byteLength);
  expect(WINDOW_BYTES % 16).toBe(0);
});
