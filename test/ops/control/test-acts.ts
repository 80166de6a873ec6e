// Tests of ops that the host computes between steps: each case is run by one model after another case, so that sizes change from
// run to run, and a model that is saved and read again gives the same.

import { expect, test } from "vitest";
import { readArtifact } from "../../../src/formats/octette";
import type { Attribute, Graph } from "../../../src/graph/graph";
import type { Tensor } from "../../../src/graph/tensor";
import { save } from "../../../src/index";
import type { OpName } from "../../../src/ops/index";
import { toolkitOps } from "../../../src/ops/toolkit";
import { simplify } from "../../../src/passes/index";
import { expectSameBytes } from "../../check-tensors";
import { engineClasses, withModel } from "../../engine/engines";

export interface ActCase {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** Runs an op on cases of the same ranks, in their order and again. */
export function testActs(
  op: OpName,
  what: string,
  attributes: Readonly<Record<string, Attribute>>,
  cases: readonly ActCase[],
): void {
  const [first] = cases as [ActCase, ...ActCase[]];
  const name = (kind: string) => (_: unknown, i: number) => `${kind}${i}`;
  const inputs = first.inputs.map(({ dtype, shape }, i) => ({
    name: `in${i}`,
    dtype,
    shape: shape.map((dim, axis) =>
      cases.every((one) => one.inputs[i]!.shape[axis] === dim) ? dim : `n${i}_${axis}`,
    ),
  }));
  const outputs = first.outputs.map(name("out"));
  const node = { op, name: "n", inputs: inputs.map(({ name }) => name), outputs, attributes };
  const graph: Graph = { name: op, inputs, outputs, nodes: [node], constants: new Map(), provenance: {} };

  test.each(engineClasses)(`${op}, ${what}: ${cases.length} cases in turn (%s)`, (engineClass) => {
    const simple = simplify(graph, toolkitOps);
    for (const one of [simple, readArtifact(save(simple), "saved").graph as Graph])
      withModel(one, { engineClass }, (model) => {
        for (const { inputs: fed, outputs: expected } of [...cases, ...cases]) {
          const feeds = Object.fromEntries(fed.map((value, i) => [`in${i}`, value]));
          const results = model.runSync(feeds);
          for (const [i, output] of expected.entries())
            expectSameBytes(results[outputs[i]!], output, outputs[i]!);
        }
      });
  });

  test(`${op} after its last outputs are read by another node`, () => {
    const relu = { op: "Identity", name: "after", inputs: [outputs[0]!], outputs: ["y"], attributes: {} };
    const longer = simplify({ ...graph, nodes: [node, relu], outputs: ["y"] }, toolkitOps);
    withModel(longer, {}, (model) => {
      const feeds = Object.fromEntries(first.inputs.map((value, i) => [`in${i}`, value]));
      expectSameBytes(model.runSync(feeds).y, first.outputs[0]!);
      expect(model.plan.pauses.length).toBeGreaterThan(0);
    });
  });
}
