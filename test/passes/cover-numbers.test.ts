import { expect, test } from "vitest";
import { parseNormalize } from "../../src/data/normalize";
import type { Graph, Preprocessing } from "../../src/graph/graph";
import { coverNumbers } from "../../src/passes/cover-numbers";
import { denseGraph } from "../check-model";

const [bytes, numbers] = [parseNormalize("1/16,0,1"), parseNormalize("1/16,0,1,numbers")];
const other = parseNormalize("1/8,0,1,numbers");
const plain = denseGraph({ k: 3, n: 2 });
const [input] = plain.inputs;
const graphOf = (preprocessing?: Preprocessing): Graph => ({
  ...plain,
  inputs: [preprocessing ? { ...input!, preprocessing } : input!],
});
const own = (graph: Graph) => graph.inputs[0]!.preprocessing;

test("a graph that normalizes bytes covers any numbers where data were normalized in the same way", () => {
  const having = (before: Preprocessing | undefined, applied: Preprocessing) =>
    own(coverNumbers(graphOf(before), { [input!.name]: applied }));
  expect(having(bytes, numbers)).toEqual(numbers);
  expect(having(numbers, numbers)).toEqual(numbers);
  expect(having(bytes, bytes)).toEqual(bytes);
  expect(having(numbers, bytes)).toEqual(numbers);
  expect(having(bytes, other)).toEqual(bytes);
  expect(having(undefined, numbers)).toBeUndefined();
  expect(coverNumbers(graphOf(bytes), undefined)).toEqual(graphOf(bytes));
});
