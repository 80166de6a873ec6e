// Weights are packed once, however many layers read them in the same way.

import { expect, test } from "vitest";
import { compile } from "../../src/engine/compile";
import { registry } from "../../src/ops/index";
import { GraphBuilder } from "../graph-builder";

/** Constants of a plan in which a layer reads `w`, and another one the same or its own. */
function packedBytes(mode: "float" | "dynamic", other: "w" | "v"): number {
  const b = new GraphBuilder(5);
  const x = b.input("x", ["batch", 64]);
  const read = mode === "float" ? x : b.quantizeDynamically(x);
  const make = (name: string) =>
    mode === "float" ? b.floats(name, [64, 64], 1) : b.weights(name, [64, 64], 0);
  const w = make("w");
  const layers = [w, other === "w" ? w : make("v")].map((weights, i) => {
    const inputs = [read, weights] as never;
    return mode === "float" ? b.node("Linear", inputs, `y${i}`) : b.layer("Linear", inputs, `y${i}`);
  });
  const graph = { ...b.build(layers[0] as string), outputs: ["y0", "y1"] };
  return compile(graph, { registry, engineClass: "baseline", maxima: { batch: 4 } }).memory.constantBytes;
}

test.each([
  ["float", 4],
  ["dynamic", 1],
] as const)("%s weights", (mode, bytes) => {
  const saved = packedBytes(mode, "v") - packedBytes(mode, "w");
  expect(saved).toBeGreaterThanOrEqual(64 * 64 * bytes);
});
