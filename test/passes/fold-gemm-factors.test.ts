import { expect, test } from "vitest";
import { registry } from "../../src/ops/index";
import { foldGemmFactors } from "../../src/passes/fold-gemm-factors";
import { simplify } from "../../src/passes/index";
import { type Attributes, GraphBuilder } from "../graph-builder";
import { expectSameFunction } from "./check-pass";

const gemm = (attributes: Attributes, bias = true) => {
  const b = new GraphBuilder();
  const inputs = [b.input("x", ["batch", 5]), b.floats("w", [5, 3], 1)];
  if (bias) inputs.push(b.floats("b", [3], 1));
  return b.build(b.node("Gemm", inputs, "y", attributes));
};

test.for([
  { alpha: 0.5 },
  { beta: -2 },
  { alpha: 3, beta: 0.25 },
])("factors %o go into the constants", (factors) => {
  for (const graph of [gemm(factors), gemm(factors, false)]) {
    const result = simplify(graph, registry);
    expect(result.nodes[0]!.attributes).not.toHaveProperty("alpha");
    expect(result.nodes[0]!.attributes).not.toHaveProperty("beta");
    expectSameFunction(graph, result);
  }
});

test("factors of one change nothing", () => {
  const graph = gemm({ alpha: 1, beta: 1 });
  expect(foldGemmFactors(graph)).toBe(graph);
});
