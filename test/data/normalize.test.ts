// The text form of preprocessing, and how it gets from data into a graph.

import { describe, expect, test } from "vitest";
import { formatNormalize, parseNormalize, withPreprocessing } from "../../src/data/normalize";
import type { Graph, Preprocessing } from "../../src/graph/graph";
import { denseGraph } from "../check-model";

describe("the text", () => {
  test.each([
    "1/255,0.1307,0.3081",
    "1/16,0,1",
    "1,1:2,2:3,nhwc",
    "0.3,1,2,numbers",
    "1/3,0,1,nhwc,numbers",
    "2,-1,0.5",
    "-0.5,0,1",
    "0,0,1",
  ])("%j comes back", (text) => {
    expect(formatNormalize(parseNormalize(text))).toBe(text);
  });

  test("fractions are written where they are the scale to the bit", () => {
    const ofScale = (scale: number) => formatNormalize({ layout: "nchw", scale, mean: [0], std: [1] });
    expect(ofScale(1 / 255)).toBe("1/255,0,1");
    expect(ofScale(0.0039)).toBe("0.0039,0,1");
    expect(ofScale(1)).toBe("1,0,1");
    for (let n = 1; n < 3000; n++) expect(parseNormalize(ofScale(1 / n)).scale).toBe(1 / n);
  });

  test.each(["numbers", "1,0,numbers", "1,0,1,numbers,nhwc", "1,0,1,number"])("%j is refused", (text) => {
    expect(() => parseNormalize(text)).toThrow(/normalize: cannot be read/);
  });
});

const [bytes, numbers] = [parseNormalize("1/16,0,1"), parseNormalize("1/16,0,1,numbers")];
const other = parseNormalize("1/8,0,1,numbers");
const plain = denseGraph({ k: 3, n: 2 });
const [input] = plain.inputs;
const graphOf = (preprocessing?: Preprocessing): Graph => ({
  ...plain,
  inputs: [preprocessing ? { ...input!, preprocessing } : input!],
});
const own = (graph: Graph) => graph.inputs[0]!.preprocessing;

describe("withPreprocessing gives a graph what normalized a data set", () => {
  const having = (before: Preprocessing | undefined, applied: Preprocessing | undefined) =>
    own(withPreprocessing(graphOf(before), { preprocessing: applied ? { [input!.name]: applied } : {} }));

  test("in place of what it had; bytes that follow do not undo that it is of any numbers", () => {
    expect(having(undefined, bytes)).toEqual(bytes);
    expect(having(undefined, numbers)).toEqual(numbers);
    expect(having(bytes, other)).toEqual(other);
    expect(having(other, bytes)).toEqual(numbers);
    expect(having(bytes, undefined)).toEqual(bytes);
    expect(having(undefined, undefined)).toBeUndefined();
  });
});
