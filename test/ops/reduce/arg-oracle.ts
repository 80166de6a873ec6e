// Where the best element along an axis is, by looking at one after the other.

import { tensor } from "../../../src/graph/tensor";
import type { Oracle } from "../../reference/oracle";
import { fed, type OpCase } from "../case-graph";

export const extremeOracle = (isBetter: (value: number, best: number) => boolean): Oracle => ({
  operator: ({ attributes: { axis = 0, keepdims = 1, select_last_index = 0 } }, [x]) => {
    const { shape, data } = x!;
    const along = Number(axis) < 0 ? Number(axis) + shape.length : Number(axis);
    const [n, inner] = [shape[along]!, shape.slice(along + 1).reduce((a, b) => a * b, 1)];
    const found = Array.from({ length: data.length / n }, (_, at) => {
      const of = (r: number) => data[(Math.floor(at / inner) * n + r) * inner + (at % inner)]!;
      let best = 0;
      for (let r = 1; r < n; r++)
        if (isBetter(of(r), of(best)) || (select_last_index && of(r) === of(best))) best = r;
      return best;
    });
    const kept = shape.flatMap((dim, i) => (i === along ? (keepdims ? [1] : []) : [dim]));
    return tensor("i32", kept, found);
  },
});

const image = ["batch", 5, 7, 6];
const ties = [3, 1, 3, 2, 0, 3, 9, 9, 1, 1, 9, 0];

export const extremeCases: readonly OpCase[] = [
  { inputs: [image], attributes: { axis: 1, keepdims: 0 } },
  { inputs: [image], attributes: { axis: 3 } },
  { inputs: [["batch", 17]], attributes: { axis: -1, select_last_index: 1 } },
  { inputs: [["batch", 17]] },
  ...[0, 1].flatMap((select_last_index) => [
    { inputs: [fed("i32", [2, 6], ties)], attributes: { axis: 1, select_last_index } },
    { inputs: [fed("i32", [3, 4], ties)], attributes: { axis: 0, select_last_index } },
    {
      inputs: [
        fed(
          "u8",
          [2, 6],
          ties.map((v) => 28 * v),
        ),
      ],
      attributes: { axis: 1, select_last_index },
    },
    {
      inputs: [
        fed(
          "i8",
          [3, 2, 2],
          ties.map((v) => v - 5),
        ),
      ],
      attributes: { axis: 1, select_last_index },
    },
  ]),
];
