import { expect, test } from "vitest";
import { tensor } from "../../../src/graph/tensor";
import { withModel } from "../../engine/engines";
import { GraphBuilder } from "../../graph-builder";
import { testOp } from "../test-op";

const image = ["batch", 6, 4, 5];

testOp("Reshape", {
  cases: [
    { inputs: [image], attributes: { shape: ["batch", 120] } },
    { inputs: [image], attributes: { shape: ["batch", 3, 8, 5] } },
    { inputs: [["batch", 3, 2, 2]], attributes: { shape: [0, 12] } },
    { inputs: [[2, 3, 4]], attributes: { shape: [4, 6] } },
    { inputs: [[2, 3, 4]], attributes: { shape: [-1] } },
    { inputs: [[1]], attributes: { shape: [] } },
    { inputs: [[17]], attributes: { shape: [1, 17, 1] } },
    { inputs: [[2, 3, 4, 5]], attributes: { shape: [0, 12, 5] } },
    { inputs: [[2, 3]], attributes: { shape: [3, 2], allowzero: 1 } },
  ],
  infers: [
    [[["batch", 3, "h", "w"]], { shape: [0, -1] }, "[batch, 3*h*w]"],
    [[["batch", 6, 4]], { shape: [-1, 8] }, "[3*batch, 8]"],
    [[["batch", 6]], { shape: ["batch", 2, 3] }, "[batch, 2, 3]"],
  ],
  refuses: [
    [[[6]], { shape: [2, 4] }, "expected 6 elements as in [6], got [2, 4]"],
    [[[6]], { shape: [-1, -1] }, "expected at most one −1"],
    [[[6]], { shape: [6, 0] }, "expected 0 only at the first 1 places"],
    [[["n", 2]], { shape: [0, -1], allowzero: 1 }, "expected 2*n elements as in [n, 2], got [0, -1]"],
    [[[6], [1]], {}, "shape is missing"],
    [[[6]], { shape: [-2, -3] }, "a dimension is negative: expected dimensions ≥ 0, got [-2, -3]"],
  ],
});

test("beside a size that a run finds to be 0, the rest is none", () => {
  const b = new GraphBuilder();
  const x = b.input("x", ["n", "m"]);
  b.node("Reshape", [x], "y", { shape: ["n", "div(m*n,n)"], allowzero: 1 });
  withModel(b.build("y"), {}, (model) => {
    const run = (n: number, m: number) =>
      model.runSync({ x: tensor("f32", [n, m], new Float32Array(n * m)) }).y!.shape;
    expect(run(2, 3)).toEqual([2, 3]);
    expect(run(0, 0)).toEqual([0, 0]);
  });
});
