// A table whose rows are picked is trained like any weight: the rows that a batch picked move, and no others.

import { expect, test } from "vitest";
import { Engine } from "../../src/engine/wasm";
import { tensor } from "../../src/graph/tensor";
import { train } from "../../src/train/inlined";
import { select } from "../../src/train/run/select";
import { Trainer } from "../../src/train/run/trainer";
import { LABELS } from "../../src/train/step/losses";
import { createOptimizer } from "../../src/train/step/optimizers";
import { parametersOf } from "../../src/train/step/prepare";
import { gradientOf } from "../../src/train/step/step";
import { exactSources, withModel } from "../engine/engines";
import { GraphBuilder } from "../graph-builder";

const [rows, width, length, classes] = [11, 6, 3, 4];

function embedding() {
  const g = new GraphBuilder(5);
  g.input("ids", ["batch", length], "i32");
  g.floats("table", [rows, width], 1);
  g.floats("w", [classes, width * length], 0.5);
  g.floats("b", [classes], 0.5);
  g.node("Gather", ["table", "ids"], "rows", { axis: 0 });
  g.node("Flatten", ["rows"], "flat", { axis: 1 });
  g.node("Linear", ["flat", "w", "b"], "logits");
  return g.build("logits");
}

test("it is a parameter, moves where it was picked, and the loss falls", () => {
  const graph = embedding();
  const parameters = parametersOf(graph);
  expect(parameters.map(({ name, kind, layer }) => [name, kind, layer])).toEqual([
    ["table", "weight", "Gather_rows"],
    ["w", "weight", "Linear_logits"],
    ["b", "bias", "Linear_logits"],
  ]);
  const trainer = new Trainer(graph, select(parameters, "all"), {
    losses: [{ kind: "crossEntropy" }],
    optimizer: createOptimizer({ kind: "sgd", lr: 0.1 }),
    keepsGradients: true,
    batch: 4,
    engine: new Engine({ ...exactSources, train }),
  });
  const ids = tensor("i32", [3, length], [0, 2, 2, 5, 0, 9, 2, 5, 10]);
  const fed = { ids, [LABELS]: tensor("i32", [3], [0, 3, 1]) };
  const picked = new Set(ids.data);
  const before = trainer.state("table").slice();
  const first = trainer.run(fed, 0.1, 1).loss;

  // Central differences of the deployed model's loss.
  const gradient = trainer.state(gradientOf("table")).slice();
  const lossOf = (table: Float32Array) => {
    const constants = new Map(graph.constants).set("table", tensor("f32", [rows, width], table));
    const { logits } = withModel({ ...graph, constants }, { maxima: { batch: 4 } }, (m) =>
      m.runSync({ ids }),
    );
    return [0, 3, 1].reduce((sum, label, n) => {
      const row = Array.from(logits!.data.slice(n * classes, (n + 1) * classes));
      return sum + (Math.log(row.reduce((s, z) => s + Math.exp(z), 0)) - row[label]!) / 3;
    }, 0);
  };
  const step = 2 ** -6;
  for (const i of [0, 7, 13, 14, 30, 35, 55, 61]) {
    const moved = (by: number) => lossOf(Float32Array.from(before, (v, j) => (j === i ? v + by : v)));
    expect(gradient[i]).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 3);
  }

  let loss = first;
  for (let count = 1; count <= 20; count++) {
    trainer.update(0.1, count, 1);
    loss = trainer.run(fed, 0.1, count + 1).loss;
  }
  expect(loss).toBeLessThan(0.5 * first);
  const now = trainer.graph().constants.get("table")!.data;
  for (let row = 0; row < rows; row++) {
    const [old, moved] = [before, now].map((table) => table.slice(row * width, (row + 1) * width));
    if (picked.has(row)) expect(moved).not.toEqual(old);
    else expect(moved).toEqual(old);
  }
  trainer.dispose();
});
