import { describe, expect, test } from "vitest";
import { tensor } from "../../src/graph/tensor";
import { fuseActivations } from "../../src/passes/fuse-activations";
import { GraphBuilder } from "../graph-builder";
import { expectSameFunction, opsOf } from "./check-pass";

class Builder extends GraphBuilder {
  readonly x = this.input("x", ["batch", 40]);
  number(value: number): string {
    return this.constant(`c${value}`, tensor("f32", [], [value]));
  }
  do(op: string, inputs: readonly string[], attributes = {}): string {
    return this.node(op, inputs, `v${this.count++}`, attributes);
  }
  private count = 0;
}

const gate = { alpha: Math.fround(1 / 6), beta: 0.5 };
const shifted = (b: Builder) => b.do("Clip", [b.do("Add", [b.x, b.number(3)])], { min: 0, max: 6 });
const erf = (b: Builder) => b.do("Erf", [b.do("Div", [b.x, b.number(1.41421354)])]);

const fused: Record<string, [string, (b: Builder) => string]> = {
  "x · sigmoid(x)": ["Silu", (b) => b.do("Mul", [b.x, b.do("Sigmoid", [b.x])])],
  "sigmoid(x) · x": ["Silu", (b) => b.do("Mul", [b.do("Sigmoid", [b.x]), b.x])],
  "x · hardSigmoid(x)": ["HardSwish", (b) => b.do("Mul", [b.x, b.do("HardSigmoid", [b.x], gate)])],
  "x · clip(x + 3, 0, 6) / 6": [
    "HardSwish",
    (b) => b.do("Div", [b.do("Mul", [b.x, shifted(b)]), b.number(6)]),
  ],
  "x · clip(x + 3, 0, 6) · ⅙": [
    "HardSwish",
    (b) => b.do("Mul", [b.do("Mul", [shifted(b), b.x]), b.number(0.16666667)]),
  ],
  "clip(x + 3, 0, 6) / 6": ["HardSigmoid", (b) => b.do("Div", [shifted(b), b.number(6)])],
  "x · (1 + erf(x / √2)) · ½": [
    "Gelu",
    (b) => b.do("Mul", [b.do("Mul", [b.x, b.do("Add", [erf(b), b.number(1)])]), b.number(0.5)]),
  ],
  "½x · (1 + erf(x / √2))": [
    "Gelu",
    (b) => b.do("Mul", [b.do("Mul", [b.number(0.5), b.x]), b.do("Add", [b.number(1), erf(b)])]),
  ],
  "x · (½ · (1 + erf(x · √½)))": [
    "Gelu",
    (b) => {
      const inner = b.do("Erf", [b.do("Mul", [b.x, b.number(Math.SQRT1_2)])]);
      return b.do("Mul", [b.x, b.do("Mul", [b.do("Add", [inner, b.number(1)]), b.number(0.5)])]);
    },
  ],
};

describe("becomes one op", () => {
  for (const [name, [op, build]] of Object.entries(fused))
    test(`${name} is ${op}`, () => {
      const b = new Builder();
      const graph = b.build(build(b));
      const result = fuseActivations(graph);
      expect(opsOf(result)).toBe(op);
      expect(result.nodes[0]!.inputs).toEqual(["x"]);
      expectSameFunction(graph, result);
    });
});

const kept: Record<string, (b: Builder) => string> = {
  "another value's sigmoid": (b) => b.do("Mul", [b.do("Relu", [b.x]), b.do("Sigmoid", [b.x])]),
  "a hard sigmoid of other slope": (b) =>
    b.do("Mul", [b.x, b.do("HardSigmoid", [b.x], { alpha: 0.2, beta: 0.5 })]),
  "erf of another scale": (b) => {
    const inner = b.do("Erf", [b.do("Div", [b.x, b.number(2)])]);
    return b.do("Mul", [b.do("Mul", [b.x, b.do("Add", [inner, b.number(1)])]), b.number(0.5)]);
  },
  "6 / clip(x + 3, 0, 6)": (b) => b.do("Div", [b.number(6), shifted(b)]),
};

describe("stays", () => {
  for (const [name, build] of Object.entries(kept))
    test(name, () => {
      const b = new Builder();
      const graph = b.build(build(b));
      expect(fuseActivations(graph)).toBe(graph);
    });

  test("where something else reads the sigmoid", () => {
    const b = new Builder();
    const sigmoid = b.do("Sigmoid", [b.x]);
    const graph = b.build(b.do("Mul", [b.x, sigmoid]), sigmoid);
    expect(fuseActivations(graph)).toBe(graph);
  });
});
