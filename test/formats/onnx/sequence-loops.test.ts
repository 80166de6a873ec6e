// Lists of tensors in loops, branches and SequenceMap give what the same loops over arrays of JavaScript give.

import { describe, expect, test } from "vitest";
import { importOnnx, loadSync } from "../../../src/index";
import { type FileGraph, type FileNode, onnxFile, type RawTensor } from "./model-file";

const longs = (shape: readonly number[], ...values: number[]): RawTensor => ({
  dataType: 7,
  shape,
  bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});

const initializers = {
  zero: longs([], 0),
  one: longs([], 1),
  two: longs([], 2),
  three: longs([], 3),
  last: longs([], -1),
  front: longs([1], 0),
  end: longs([1], 100),
  nothing: { dataType: 1, shape: [], bytes: new Uint8Array(4) },
};

const node = (
  op: string,
  inputs: readonly string[],
  output: string | readonly string[],
  attributes: FileNode["attributes"] = {},
): FileNode => ({ op, inputs, outputs: typeof output === "string" ? [output] : output, attributes });

/** A body of a loop: `inputs` are those after iteration and condition, `outputs` those after the condition. */
const body = (
  inputs: readonly string[],
  outputs: readonly string[],
  ...nodes: readonly FileNode[]
): FileGraph => ({
  nodes: [...nodes, node("Identity", ["going"], `${outputs.join("_")}_going`)],
  inputs: ["i", "going", ...inputs].map((name) => ({ name, type: 0 })),
  outputs: [`${outputs.join("_")}_going`, ...outputs],
});
const branch = (output: string, ...nodes: readonly FileNode[]): FileGraph => ({
  nodes,
  inputs: [],
  outputs: [output],
});
const number = (of: string, to: string) => node("Cast", [of], to, { to: 1 });
const empty = node("SequenceEmpty", [], "s");
const insert = (list: string, value: string, to: string, ...at: string[]) =>
  node("SequenceInsert", [list, value, ...at], to);
const stack = (list: string, axis = 0) => node("ConcatFromSequence", [list], "y", { axis, new_axis: 1 });
/** A loop over the rows of x that carries the list s, with a body of these parts. */
const loop = (...parts: Parameters<typeof body>) =>
  node("Loop", ["t", "", "s"], "l", { body: { graph: body(...parts) } });
const trips = [node("Shape", ["x"], "dims"), node("Gather", ["dims", "zero"], "t")];

const read = (nodes: readonly FileNode[]) =>
  importOnnx(onnxFile({ nodes, initializers, inputs: [{ name: "x", shape: ["n", 2] }], outputs: ["y"] }));

type Rows = readonly (readonly number[])[];

/** x is 1, −2, 3, −4 … , [rows, 2]. */
const rowsOf = (rows: number): Rows => Array.from({ length: rows }, (_, r) => [2 * r + 1, -2 * r - 2]);

function run(nodes: readonly FileNode[], rows: number) {
  using model = loadSync(read(nodes));
  const { shape, data } = model.runSync({ x: Float32Array.from(rowsOf(rows).flat()) }).y!;
  return { shape: [...shape], data: [...data] };
}

const result = (rows: Rows, shape: readonly number[] = [rows.length, 2]) => ({
  shape,
  data: rows.flat().map((value) => value + 0),
});
const negated = (row: readonly number[]) => row.map((value) => -value);
const transposed = (rows: Rows) => [0, 1].map((k) => rows.map((row) => row[k]!));

/** Row i of x, and its negative. */
const row = [node("Gather", ["x", "i"], "row"), node("Neg", ["row"], "minus")];
const positive = [
  node("ReduceSum", ["minus"], "sum", { keepdims: 0 }),
  node("Greater", ["sum", "nothing"], "isPositive"),
];

type Case = readonly [
  name: string,
  nodes: readonly FileNode[],
  expected: (rows: Rows) => { readonly shape: readonly number[]; readonly data: readonly number[] },
];

const cases: readonly Case[] = [
  [
    "what each iteration adds, stacked",
    [...trips, empty, loop(["b"], ["c"], ...row, insert("b", "minus", "c")), stack("l")],
    (rows) => result(rows.map(negated)),
  ],
  [
    "stacked along the last axis",
    [...trips, empty, loop(["b"], ["c"], ...row, insert("b", "row", "c")), stack("l", -1)],
    (rows) => result(transposed(rows), [2, rows.length]),
  ],
  [
    "two elements an iteration, after one that is there, beside a value that is carried",
    [
      ...trips,
      node("Gather", ["x", "zero"], "first"),
      node("SequenceConstruct", ["first"], "s"),
      node("Loop", ["t", "", "s", "first"], ["l", "h"], {
        body: {
          graph: body(
            ["b", "state"],
            ["d", "next"],
            ...row,
            node("Add", ["state", "row"], "next"),
            insert("b", "next", "c"),
            insert("c", "minus", "d"),
          ),
        },
      }),
      node("ConcatFromSequence", ["l"], "y", { axis: 0 }),
    ],
    (rows) => {
      let state = rows[0]!;
      const list = [state];
      for (const row of rows) {
        state = state.map((value, k) => value + row[k]!);
        list.push(state, negated(row));
      }
      return result(list, [2 * list.length]);
    },
  ],
  [
    "elements put before all others",
    [
      ...trips,
      empty,
      loop(["b"], ["d"], ...row, insert("b", "row", "c", "zero"), insert("c", "minus", "d", "zero")),
      stack("l"),
    ],
    (rows) => result(rows.flatMap((row) => [row, negated(row)]).toReversed()),
  ],
  [
    "a loop in a loop",
    [
      ...trips,
      empty,
      loop(["b"], ["c"], ...row, number("i", "outer"), {
        ...node("Loop", ["two", "", "b"], "c"),
        attributes: {
          body: {
            graph: {
              nodes: [
                number("j", "inner"),
                node("Add", ["row", "inner"], "e"),
                node("Mul", ["e", "outer"], "f"),
                insert("k", "f", "m"),
                node("Identity", ["on"], "onward"),
              ],
              inputs: ["j", "on", "k"].map((name) => ({ name, type: 0 })),
              outputs: ["onward", "m"],
            },
          },
        },
      }),
      stack("l"),
    ],
    (rows) => result(rows.flatMap((row, i) => [0, 1].map((j) => row.map((value) => (value + j) * i)))),
  ],
  [
    "elements of a list that keeps its length",
    [
      ...trips,
      node("Gather", ["x", "zero"], "first"),
      node("SequenceConstruct", ["first", "x"], "s"),
      loop(
        ["b"],
        ["d"],
        ...row,
        node("SequenceAt", ["b", "zero"], "old"),
        node("Add", ["old", "row"], "new"),
        node("SequenceErase", ["b", "zero"], "c"),
        insert("c", "new", "d", "zero"),
      ),
      node("SequenceAt", ["l", "zero"], "y"),
    ],
    (rows) => {
      const sum = (k: number) => rows.reduce((sum, row) => sum + row[k]!, rows[0]![k]!);
      return result([[sum(0), sum(1)]], [2]);
    },
  ],
  [
    "the element that the iteration before added",
    [
      ...trips,
      node("Gather", ["x", "zero"], "first"),
      node("SequenceConstruct", ["first"], "s"),
      loop(
        ["b"],
        ["c"],
        ...row,
        node("SequenceAt", ["b", "last"], "old"),
        node("Sub", ["row", "old"], "new"),
        insert("b", "new", "c"),
      ),
      stack("l"),
    ],
    (rows) => {
      const list = [rows[0]!];
      for (const row of rows) list.push(row.map((value, k) => value - list.at(-1)![k]!));
      return result(list);
    },
  ],
  [
    "elements that a branch chooses",
    [
      ...trips,
      empty,
      loop(["b"], ["c"], ...row, ...positive, {
        ...node("If", ["isPositive"], "c"),
        attributes: {
          then_branch: { graph: branch("p", insert("b", "minus", "p")) },
          else_branch: { graph: branch("q", node("Abs", ["row"], "abs"), insert("b", "abs", "q")) },
        },
      }),
      stack("l"),
    ],
    (rows) => result(rows.map((row) => (row[0]! + row[1]! < 0 ? negated(row) : row.map(Math.abs)))),
  ],
  [
    "elements that only one branch adds",
    [
      ...trips,
      node("Gather", ["x", "zero"], "first"),
      node("SequenceConstruct", ["first"], "s"),
      loop(
        ["b"],
        ["c"],
        ...row,
        number("i", "at"),
        number("one", "some"),
        node("Greater", ["at", "some"], "isLate"),
        {
          ...node("If", ["isLate"], "c"),
          attributes: {
            then_branch: { graph: branch("p", node("Identity", ["b"], "p")) },
            else_branch: { graph: branch("q", node("Abs", ["row"], "abs"), insert("b", "abs", "q")) },
          },
        },
      ),
      stack("l"),
    ],
    (rows) => result([rows[0]!, ...rows.slice(0, 2).map((row) => row.map(Math.abs))]),
  ],
  [
    "slices that a loop reads, as many as there are",
    [
      node("SplitToSequence", ["x"], "parts", { axis: 0, keepdims: 0 }),
      node("SequenceLength", ["parts"], "t"),
      empty,
      loop(
        ["b"],
        ["c"],
        node("SequenceAt", ["parts", "i"], "part"),
        node("Neg", ["part"], "e"),
        insert("b", "e", "c"),
      ),
      node("SequenceLength", ["l"], "count"),
      number("count", "f"),
      node("ConcatFromSequence", ["l"], "all", { axis: 0, new_axis: 1 }),
      node("Mul", ["all", "f"], "y"),
    ],
    (rows) => result(rows.map((row) => row.map((value) => -value * rows.length))),
  ],
  [
    "SequenceMap over elements of different shapes",
    [
      node("Gather", ["x", "zero"], "first"),
      node("SequenceConstruct", ["first", "x"], "s"),
      {
        ...node("SequenceMap", ["s", "first"], "m"),
        attributes: {
          body: {
            graph: {
              nodes: [node("Sub", ["e", "v"], "r")],
              inputs: ["e", "v"].map((name) => ({ name, type: 0 })),
              outputs: ["r"],
            },
          },
        },
      },
      node("SequenceAt", ["m", "one"], "y"),
    ],
    (rows) => result(rows.map((row) => row.map((value, k) => value - rows[0]![k]!))),
  ],
  [
    "SequenceMap over slices, beside others",
    [
      node("SplitToSequence", ["x"], "s", { axis: 0, keepdims: 0 }),
      node("Neg", ["x"], "n"),
      node("Gather", ["x", "zero"], "first"),
      node("SplitToSequence", ["n"], "z", { axis: 0, keepdims: 0 }),
      {
        ...node("SequenceMap", ["s", "first", "z"], "m"),
        attributes: {
          body: {
            graph: {
              nodes: [node("Sub", ["e", "f"], "d"), node("Add", ["d", "v"], "r")],
              inputs: ["e", "v", "f"].map((name) => ({ name, type: 0 })),
              outputs: ["r"],
            },
          },
        },
      },
      stack("m", 1),
    ],
    (rows) =>
      result(transposed(rows.map((row) => row.map((value, k) => 2 * value + rows[0]![k]!))), [
        2,
        rows.length,
      ]),
  ],
  [
    "sizes that a loop knows by a value it does not read",
    [
      node("Gather", ["x", "zero"], "first"),
      node("Loop", ["three", "", "first"], "y", {
        body: {
          graph: body(
            ["v"],
            ["w"],
            node("Shape", ["x"], "d"),
            number("d", "f"),
            node("Add", ["v", "f"], "w"),
          ),
        },
      }),
    ],
    (rows) => result([[rows[0]![0]! + 3 * rows.length, rows[0]![1]! + 6]], [2]),
  ],
];

describe.each(cases)("%s", (_, nodes, expected) => {
  test.each([1, 2, 5])("%i rows", (rows) => {
    const { shape, data } = expected(rowsOf(rows));
    expect(run(nodes, rows)).toEqual({ shape, data: data.map((value) => expect.closeTo(value, 5)) });
  });
});

describe("lists that are refused", () => {
  const adding = (...nodes: readonly FileNode[]) => [
    ...trips,
    empty,
    loop(["b"], ["c"], ...row, ...nodes),
    stack("l"),
  ];

  test("an element that earlier iterations added to a list that begins empty", () =>
    expect(() => read(adding(node("SequenceAt", ["b", "last"], "old"), insert("b", "old", "c")))).toThrow(
      expect.objectContaining({
        code: "unsupported",
        where: 'Loop "Loop_3" (opset 17)',
        message: expect.stringMatching(
          /what its body does with the list "s" is not known before a run/,
        ) as string,
      }),
    ));

  test("a list that a loop takes for a tensor", () =>
    expect(() => read(adding(node("Identity", ["row"], "c")))).toThrow(
      /its body makes no value of the kind of "s": expected a list of tensors/,
    ));

  test("what a loop makes, added by one branch only", () => {
    const inner = body(["k"], ["m"], insert("k", "row", "m"));
    expect(() =>
      read(
        adding(...positive, {
          ...node("If", ["isPositive"], "c"),
          attributes: {
            then_branch: {
              graph: branch("p", node("Loop", ["two", "", "b"], "p", { body: { graph: inner } })),
            },
            else_branch: { graph: branch("q", node("Identity", ["b"], "q")) },
          },
        }),
      ),
    ).toThrow(/only one of its branches adds to a list what a loop makes/);
  });

  test("a list of one branch only", () =>
    expect(() =>
      read(
        adding(...positive, {
          ...node("If", ["isPositive"], "c"),
          attributes: {
            then_branch: { graph: branch("p", insert("b", "row", "p")) },
            else_branch: { graph: branch("q", node("Neg", ["row"], "q")) },
          },
        }),
      ),
    ).toThrow(/only one of its branches makes a list of output 0/));

  test("elements of different shapes, when a run makes them", () =>
    expect(() =>
      run(
        adding(
          node("Unsqueeze", ["i", "front"], "start"),
          node("Slice", ["x", "start", "end", "front"], "e"),
          insert("b", "e", "c"),
        ),
        3,
      ),
    ).toThrow(/iterations make scan outputs of different shapes/));
});
