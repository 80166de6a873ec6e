// Tests of ops that run graphs, through the importer: each case is run by one model after another case, so that sizes change from run to
// run; by a model that is saved and read again, and by one whose file is read as a stream, whose graphs' constants go straight to memory.

import { expect, test } from "vitest";
import { readArtifact } from "../../../src/formats/octette";
import type { Tensor } from "../../../src/graph/tensor";
import { importOnnx, loadSync, save } from "../../../src/index";
import { inferTypes } from "../../../src/ops/infer";
import { toolkitOps } from "../../../src/ops/toolkit";
import { simplify } from "../../../src/passes/index";
import { expectClose } from "../../check-tensors";
import { creatingIn, engineClasses } from "../../engine/engines";
import { type FileModel, onnxFile } from "../../formats/onnx/model-file";

export type Case = readonly [
  feeds: Readonly<Record<string, Tensor>>,
  results: Readonly<Record<string, Tensor>>,
];

/** Runs a model on cases, in their order and again. */
export function testControl(what: string, file: FileModel, cases: readonly Case[]): void {
  const graph = () => importOnnx(onnxFile(file), { name: "tested" });

  test.each(engineClasses)(`${what}: ${cases.length} cases in turn (%s)`, (engineClass) => {
    const one = graph();
    const saved = save(one);
    const create = creatingIn(engineClass);
    // A stream is read by the engine's own class.
    const models = [create(one, {}), create(readArtifact(saved).graph, {}), loadSync(saved)];
    for (const model of models) {
      try {
        for (const [feeds, expected] of [...cases, ...cases]) {
          const results = model.runSync(feeds);
          for (const [name, value] of Object.entries(expected)) expectClose(results[name], value, name);
        }
      } finally {
        model.dispose();
      }
    }
  });

  test(`${what}: simple as it is, saved and read to the same bytes, its types known`, () => {
    const one = graph();
    expect(simplify(one, toolkitOps)).toBe(one);
    const saved = save(one);
    expect(save(readArtifact(saved).graph)).toEqual(saved);
    const types = inferTypes(one, toolkitOps);
    for (const output of one.outputs)
      expect(types.get(output)?.shape.length).toBe(cases[0]![1][output]!.shape.length);
  });
}
