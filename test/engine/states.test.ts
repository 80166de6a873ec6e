// States: memory that a node writes to and later runs read, at a position that the caller binds.

import { describe, expect, test } from "vitest";
import { draftModel, Model } from "../../src/engine/model";
import { Engine } from "../../src/engine/wasm";
import { decodeGraph } from "../../src/formats/decode-graph";
import { encodeGraph } from "../../src/formats/encode-graph";
import type { Graph } from "../../src/graph/graph";
import { type Dim, evaluateShape, multiplyDims, type Shape } from "../../src/graph/symbols";
import { tensor } from "../../src/graph/tensor";
import { verify } from "../../src/graph/verify";
import { behind, type Op } from "../../src/ops/op";
import { exactSources } from "./engines";

const engine = new Engine(exactSources);
const COLUMNS = 3;

/** Writes its rows to a state from `position` on, and gives the whole state. */
const append: Op = {
  inputs: 2,
  attributes: ["position"],
  infer: (_, [, state]) => [state!],
  lower({ node, inputs, outputs }, c) {
    const [x, state] = inputs as [string, string];
    const [position] = node.attributes.position as readonly Dim[];
    const bytes = 4 * COLUMNS;
    const at = c.input(state);
    c.emit(
      "copyRows",
      [behind(at, multiplyDims(position!, bytes)), bytes, c.input(x), bytes, bytes],
      c.type(x).shape[0]!,
    );
    c.emit("copyRows", [c.output(outputs[0]!), bytes, at, bytes, bytes], c.type(state).shape[0]!);
  },
};

const graphOf = (shape: Shape): Graph => ({
  name: "append",
  inputs: [{ name: "x", dtype: "f32", shape: ["tokens", COLUMNS] }],
  outputs: ["y"],
  states: [{ name: "memory", dtype: "f32", shape }],
  nodes: [
    {
      op: "Append",
      name: "append",
      inputs: ["x", "memory"],
      outputs: ["y"],
      attributes: { position: ["position"] },
    },
  ],
  constants: new Map(),
  provenance: {},
});

const rows = (...first: number[]) => Float32Array.from(first.flatMap((n) => [n, n + 0.25, n + 0.5]));

describe("states", () => {
  const model = () => new Model(graphOf([4, COLUMNS]), { Append: append }, engine, { maxima: { tokens: 2 } });

  test("begin as zeros, and keep what runs write to them", () => {
    using own = model();
    const run = (x: Float32Array, position: number) => own.runSync({ x }, {}, { position }).y!.data;
    expect(run(rows(1), 1)).toEqual(rows(0, 1, 0, 0).map((n, i) => (Math.floor(i / 3) === 1 ? n : 0)));
    expect([...run(rows(5, 6), 2)].slice(3)).toEqual([...rows(1, 5, 6)]);
    expect([...run(rows(9), 0)]).toEqual([...rows(9, 1, 5, 6)]);
    expect(own.states.map(({ name, shape }) => [name, shape])).toEqual([["memory", [4, COLUMNS]]]);
    expect([...own.states[0]!.data]).toEqual([...rows(9, 1, 5, 6)]);
  });

  test("stay where they are when a larger run makes a new plan", () => {
    using own = model();
    own.runSync({ x: rows(1) }, {}, { position: 0 });
    expect([...own.runSync({ x: rows(2, 3, 4) }, {}, { position: 1 }).y!.data]).toEqual([
      ...rows(1, 2, 3, 4),
    ]);
  });

  test("a position is a whole number, and has to be given", () => {
    using own = model();
    expect(() => own.runSync({ x: rows(1) }, {}, { position: -1 })).toThrow(
      'symbol "position": invalid value: expected a whole number of 0 or more, got -1',
    );
    expect(() => own.runSync({ x: rows(1) })).toThrow('symbol "position" has no value');
  });

  test("a state without a fixed size is refused", () => {
    expect(() => draftModel(graphOf(["cache", COLUMNS]), { Append: append }, engine, {})).toThrow(
      'state "memory": a state has no fixed size: expected numbers, got [cache, 3]',
    );
  });

  test("are written to files and read from them", () => {
    const graph = graphOf(["cache", COLUMNS]);
    const { json, tensors } = encodeGraph(graph);
    const read = decodeGraph(JSON.parse(json), tensors, {}, "file");
    verify(read);
    expect(read).toEqual(graph);
    expect(evaluateShape(read.states![0]!.shape, { cache: 8 })).toEqual([8, COLUMNS]);
  });

  test("a state has a name of its own", () => {
    const graph = { ...graphOf([4, COLUMNS]), constants: new Map([["memory", tensor("f32", [1], [1])]]) };
    expect(() => verify(graph)).toThrow('value "memory" is defined twice');
  });
});
