// Tests of ops that run graphs, through the importer: each case is run by one model after another case, so that sizes change from run to
// run; by a model that is saved and read again, by one whose file is read as a stream, whose graphs' constants go straight to memory, and by
// one that is written to ONNX and read again.

import { expect, test } from "vitest";
import { readArtifact } from "../../../src/formats/octette";
import type { Tensor } from "../../../src/graph/tensor";
import { importOnnx, loadSync, type Model, save } from "../../../src/index";
import { inferTypes } from "../../../src/ops/infer";
import { toolkitOps } from "../../../src/ops/toolkit";
import { simplify } from "../../../src/passes/index";
import { onnxOf } from "../../../src/toolkit/export-onnx";
import { toolkit } from "../../../src/toolkit/toolkit";
import { expectClose } from "../../check-tensors";
import { creatingIn, engineClasses } from "../../engine/engines";
import { type FileModel, onnxFile } from "../../formats/onnx/model-file";
import { structureOf } from "../../same-graph";

export type Case = readonly [
  feeds: Readonly<Record<string, Tensor>>,
  results: Readonly<Record<string, Tensor>>,
];

function check(model: Pick<Model, "runSync">, feeds: Case[0], expected: Case[1]): void {
  const results = model.runSync(feeds);
  for (const [name, value] of Object.entries(expected)) expectClose(results[name], value, name);
}

/** Runs a model on cases, in their order and again. `refused` is an error of its export. */
export function testControl(what: string, file: FileModel, cases: readonly Case[], refused?: RegExp): void {
  const name = "tested";
  const graph = () => importOnnx(onnxFile(file), { name });

  test.each(engineClasses)(`${what}: ${cases.length} cases in turn (%s)`, (engineClass) => {
    const one = graph();
    const saved = save(one);
    const create = creatingIn(engineClass);
    // A stream is read by the engine's own class.
    const models = [create(one, {}), create(readArtifact(saved).graph, {}), loadSync(saved)];
    for (const model of models) {
      try {
        for (const [feeds, expected] of [...cases, ...cases]) check(model, feeds, expected);
      } finally {
        model.dispose();
      }
    }
  });

  test(`${what}: written to ONNX and read again`, () => {
    const one = graph();
    if (refused) return void expect(() => onnxOf(one, toolkit)).toThrow(refused);
    const read = importOnnx(onnxOf(one, toolkit), { name });
    expect(structureOf(read)).toEqual(structureOf(one));
    const model = loadSync(read);
    for (const [feeds, expected] of cases) check(model, feeds, expected);
    model.dispose();
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
