// An input that is said to normalize bytes normalizes any numbers, where others than bytes were normalized in the same way to calibrate or
// train it: what the model then runs on is what it was made for.

import type { Graph, Preprocessing } from "../graph/graph";

/** By what data became the numbers of a model's inputs, by name. */
export type Applied = Readonly<Record<string, Preprocessing>>;

const formulaOf = ({ layout, scale, mean, std }: Preprocessing) => JSON.stringify([layout, scale, mean, std]);

export const coverNumbers = (graph: Graph, applied: Applied | undefined): Graph => ({
  ...graph,
  inputs: graph.inputs.map((input) => {
    const [own, by] = [input.preprocessing, applied?.[input.name]];
    const isSame = own && by?.of && formulaOf(own) === formulaOf(by);
    return isSame ? { ...input, preprocessing: { ...own, of: by.of } } : input;
  }),
});
