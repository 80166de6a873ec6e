// Where a batch may be cut: what every op says of its rows, and what a run makes of it.

import { describe, expect, test } from "vitest";
import { inlined } from "../../src/engine/inlined";
import { Model } from "../../src/engine/model";
import { Engine } from "../../src/engine/wasm";
import type { Graph } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { registry } from "../../src/ops/index";
import { randomFeeds } from "../check-model";
import { GraphBuilder } from "../graph-builder";
import { checkCuts } from "./cuts";

const engine = new Engine(inlined);
const create = (graph: Graph, options: ConstructorParameters<typeof Model>[3]) =>
  new Model(graph, registry, engine, options);

/** One node over x [batch, 4, 6], or as `shape` says. */
type Case = (b: GraphBuilder) => string;
const x = (b: GraphBuilder, ...rest: (number | string)[]) =>
  b.input("x", ["batch", ...(rest.length ? rest : [4, 6])]);
const node =
  (op: string, attributes = {}, ...shape: (number | string)[]): Case =>
  (b) =>
    b.node(op, [x(b, ...shape)], "y", attributes);
/** An op over what a transposition makes of x [batch, 4]: [4, batch]. */
const turned =
  (op: string, attributes = {}): Case =>
  (b) => {
    const first = b.node("Transpose", [x(b, 4)], "turned", { perm: [1, 0] });
    return b.node("Transpose", [b.node(op, [first], "made", attributes)], "y", { perm: [1, 0] });
  };

const cut: Record<string, Case> = {
  "Softmax over another axis": node("Softmax", { axis: -1 }),
  "rows along the second axis": turned("Relu"),
  "a reduction beside the rows": node("ReduceMean", { axes: [1], keepdims: 1 }),
  "a sum with a value that is fed for all rows": (b) => b.node("Add", [x(b), b.input("z", [4, 1])], "y"),
  "images as more rows": (b) => {
    const rows = b.node("Reshape", [x(b)], "rows", { shape: ["4*batch", 6] });
    return b.node("Softmax", [rows], "y", { axis: -1 });
  },
  "a product of every row's matrices": (b) => {
    const a = x(b);
    return b.node("MatMul", [a, b.node("Transpose", [a], "at", { perm: [0, 2, 1] })], "y");
  },
  "slices picked by rows from a constant": (b) =>
    b.node("Gather", [b.floats("table", [6, 3], 1), b.node("ArgMax", [x(b, 6)], "best", { axis: 1 })], "y"),
  "slices of every row": (b) =>
    b.node("Gather", [x(b), b.constant("at", tensor("i32", [2], [3, 0]))], "y", { axis: 1 }),
  "padding of every row": node("Pad", { pads: [0, 1, 0, 0, -1, 2] }),
  "a constant repeated for every row": (b) => {
    const token = b.node("Expand", [b.floats("token", [1, 1, 6], 1)], "tokens", { shape: ["batch", 1, 6] });
    return b.node("Concat", [token, x(b)], "y", { axis: 1 });
  },
  "heads split, the rows behind them": (b) => {
    const heads = b.node("Reshape", [x(b, 5, 12)], "heads", { shape: ["batch", 5, 3, 4] });
    const first = b.node("Transpose", [heads], "first", { perm: [2, 0, 1, 3] });
    return b.node("Gather", [first, b.constant("one", tensor("i32", [], [1]))], "y", { axis: 0 });
  },
  "a range of a number that is fed for all rows": (b) => {
    b.multiple("DynamicQuantize", [b.input("z", [])], ["codes", "codes_scale", "codes_zero"], { axis: -1 });
    return b.node("Mul", [x(b), "codes_scale"], "y");
  },
  "a range for every row": (b) => {
    const w = b.weights("w", [3, 6], 0);
    return b.layer("Linear", [b.quantizeDynamically(x(b, 6)), w], "y").codes;
  },
  "LayerNormalization of every row": (b) =>
    b.node("LayerNormalization", [x(b), b.floats("scale", [6], 1)], "y", { axis: -1 }),
};

const meeting: Record<string, Case> = {
  "Softmax over rows": (b) => b.node("Softmax", [b.input("x", ["batch"])], "y", { axis: -1 }),
  "LogSoftmax over rows": turned("LogSoftmax", { axis: -1 }),
  "a mean over rows": (b) => {
    const value = x(b);
    return b.node("Sub", [value, b.node("ReduceMean", [value], "mean", { axes: [0], keepdims: 1 })], "y");
  },
  "rows picked by indices of rows": (b) => {
    const value = x(b, 6);
    return b.node("Gather", [value, b.node("ArgMax", [value], "best", { axis: 1, keepdims: 0 })], "y", {
      axis: 0,
    });
  },
  "rows picked by constants": (b) => {
    const value = x(b);
    const first = b.node("Gather", [value, b.constant("at", tensor("i32", [1], [0]))], "first", { axis: 0 });
    return b.node("Add", [value, first], "y");
  },
  "rows moved by one": node("Pad", { pads: [1, 0, 0, -1, 0, 0] }),
  "LayerNormalization of all rows, its scale fed": (b) =>
    b.node("LayerNormalization", [x(b, 3), b.input("scale", ["batch", 3])], "y", { axis: 0 }),
  "the first half of more rows": (b) => {
    const rows = b.node("Reshape", [x(b, 2, 3)], "rows", { shape: ["2*batch", 3] });
    return b.node("Slice", [rows], "y", { starts: [0], ends: ["batch"], axes: [0] });
  },
  "rows of another order": (b) => {
    const turned = b.node("Transpose", [x(b, 2, 3)], "turned", { perm: [1, 0, 2] });
    return b.node("Reshape", [turned], "y", { shape: ["batch", 6] });
  },
  "a product of all rows": (b) => {
    const value = x(b, 3);
    const all = b.node("MatMul", [b.node("Transpose", [value], "turned", { perm: [1, 0] }), value], "all");
    return b.node("MatMul", [value, all], "y");
  },
  "rows along both axes": (b) => {
    const column = b.node("ReduceMean", [x(b)], "column", { axes: [1, 2], keepdims: 0 });
    const table = b.node("Sub", [b.node("Unsqueeze", [column], "row", { axes: [1] }), column], "table");
    return b.node("ReduceMean", [table], "y", { axes: [1], keepdims: 1 });
  },
  "one range for all rows": (b) => {
    const outputs = ["codes", "codes_scale", "codes_zero"] as const;
    b.multiple("DynamicQuantize", [x(b, 6)], outputs);
    const [codes, scale, zeroPoint] = outputs;
    return b.layer("Linear", [{ codes, scale, zeroPoint }, b.weights("w", [3, 6], 0)], "y").codes;
  },
};

const ROWS = 5;
const check = (build: Case) => {
  const b = new GraphBuilder(1);
  const graph = b.build(build(b));
  return checkCuts(graph, randomFeeds(graph, ROWS), ROWS, create);
};

describe("rows do not meet: the whole, its parts and every row alone have the same bytes", () => {
  test.each(Object.entries(cut))("%s", (_, build) => expect(check(build)).toBe("cut"));
});

describe("rows meet: a batch beyond the maximum is run whole", () => {
  test.each(Object.entries(meeting))("%s", (_, build) => expect(check(build)).toBe("whole"));
});

describe("outputs", () => {
  test("that no row shows in are the same beside those that are cut", () => {
    const b = new GraphBuilder(1);
    const z = b.node("Relu", [b.input("z", [3])], "positive");
    b.node("Add", [x(b, 3), z], "y");
    const graph = b.build("y", "positive");
    expect(checkCuts(graph, randomFeeds(graph, ROWS), ROWS, create)).toBe("cut");
  });
  test("with rows along another axis are not cut", () => {
    const b = new GraphBuilder(1);
    b.node("Transpose", [x(b, 3)], "y", { perm: [1, 0] });
    const graph = b.build("y");
    expect(checkCuts(graph, randomFeeds(graph, ROWS), ROWS, create)).toBe("whole");
  });
});
