// Caches of codes lie in tiles; what is saved of them are rows in the order of their tokens.

import { expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph";
import { bytesIn } from "../../src/graph/tensor";
import { filledBytes, layoutsOf, rolled, unrolled } from "../../src/text/cache";

const [ROWS, GROUPS, KEY, VALUE, TILE] = [64, 3, 8, 5, 32];
const graph = (window: number): Graph => ({
  name: "decoder",
  inputs: [],
  outputs: [],
  states: [
    { name: "keys", dtype: "i8", shape: [ROWS, GROUPS * KEY] },
    { name: "key_scales", dtype: "f32", shape: [ROWS, GROUPS] },
    { name: "values", dtype: "i8", shape: [ROWS, GROUPS * VALUE] },
    { name: "value_scales", dtype: "f32", shape: [ROWS, GROUPS] },
  ],
  nodes: [
    {
      op: "CachedAttention",
      name: "attention",
      inputs: ["q", "k", "v", "keys", "key_scales", "values", "value_scales"],
      outputs: ["y"],
      attributes: { num_heads: 6, kv_num_heads: GROUPS, window },
    },
  ],
  constants: new Map(),
  provenance: {},
});

/** Where element d of head g of the token in a row lies, as assembly/language/cache.ts draws it. */
const places = [
  (row: number, g: number, d: number) =>
    ((row - (row % TILE)) * GROUPS + g * TILE) * KEY + ((d >> 2) * TILE + (row % TILE)) * 4 + (d & 3),
  (row: number, g: number) => (row - (row % TILE)) * GROUPS + g * TILE + (row % TILE),
  (row: number, g: number, d: number) =>
    ((row - (row % TILE)) * GROUPS + g * TILE) * VALUE + (((row % TILE) >> 2) * VALUE + d) * 4 + (row & 3),
  (row: number, g: number) => (row - (row % TILE)) * GROUPS + g * TILE + (row % TILE),
];
const number = (token: number, g: number, d: number) => ((token * 31 + g * 7 + d * 3) % 251) - 125;

test.for([
  [1, 0],
  [31, 0],
  [33, 0],
  [64, 0],
  [64, 20],
  [100, 20],
  [129, 20],
])("%i tokens, window %i", ([position = 0, window = 0]) => {
  for (const [i, layout] of layoutsOf(graph(window)).entries()) {
    const size = layout.shape[1]! / GROUPS;
    const count = Math.min(position, ROWS);
    const memory =
      layout.dtype === "i8" ? new Int8Array(ROWS * GROUPS * size) : new Float32Array(ROWS * GROUPS);
    for (let token = position - count; token < position; token++)
      for (let g = 0; g < GROUPS; g++)
        for (let d = 0; d < size; d++) memory[places[i]!(token % ROWS, g, d)] = number(token, g, d);
    const bytes = bytesIn(memory).slice(0, filledBytes(layout, position));
    const rows = unrolled(layout, bytes, position);
    expect(rows.shape).toEqual([count, GROUPS * size]);
    const expected = Array.from({ length: count * GROUPS * size }, (_, at) => {
      const [token, e] = [position - count + Math.floor(at / (GROUPS * size)), at % (GROUPS * size)];
      return number(token, Math.floor(e / size), e % size);
    });
    expect([...rows.data]).toEqual(expected);
    expect(rolled(layout, bytesIn(rows.data), position)).toEqual(bytes);
  }
});
