import { equationOf } from "../../../src/ops/reduce/einsum";
import type { Forward } from "../../reference/oracle";
import { constant, testOp } from "../test-op";

/** All products of one element of each input, added where they belong. */
const forward: Forward = (node, inputs) => {
  const shapes = inputs.map((x) => x!.shape);
  const { terms, result } = equationOf(node, shapes);
  const names = [...new Set(terms.flat())];
  const extents = names.map((name) =>
    Math.max(...terms.map((term, i) => (term.includes(name) ? shapes[i]![term.indexOf(name)]! : 1))),
  );
  const shape = result.map((name) => extents[names.indexOf(name)]!);
  const data = new Float64Array(shape.reduce((a, b) => a * b, 1));
  const place = new Array<number>(names.length).fill(0);
  const indexIn = (term: readonly string[], sizes: readonly number[]) =>
    term.reduce(
      (at, name, axis) => at * sizes[axis]! + (sizes[axis] === 1 ? 0 : place[names.indexOf(name)]!),
      0,
    );
  for (let left = extents.reduce((a, b) => a * b, 1); left > 0; left--) {
    let product = 1;
    for (const [i, x] of inputs.entries()) product *= x!.data[indexIn(terms[i]!, shapes[i]!)]!;
    data[indexIn(result, shape)]! += product;
    for (let axis = names.length - 1; axis >= 0; axis--) {
      if (++place[axis]! < extents[axis]!) break;
      place[axis] = 0;
    }
  }
  return [{ shape, data }];
};

const of = (equation: string, ...inputs: (readonly (string | number)[])[]) => ({
  inputs,
  attributes: { equation },
  simplified: true as const,
});

testOp("Einsum", {
  oracle: { forward },
  cases: [
    of("ij,jk->ik", ["batch", 4], [4, 3]),
    { ...of("ij,jk->ik", ["batch", 4]), inputs: [["batch", 4], constant([4, 3])] },
    of("bij,bjk->bik", ["batch", 3, 4], ["batch", 4, 2]),
    of("bhqd,bhkd->bhqk", ["batch", 2, 3, 4], ["batch", 2, 5, 4]),
    of("bqhd,bkhd->bhqk", ["batch", 3, 2, 4], ["batch", 5, 2, 4]),
    of("ij->ji", ["batch", 4]),
    of("ij->i", ["batch", 4]),
    of("ij->", [3, 4]),
    of("i,i", [5], [5]),
    of("i,j->ij", [5], [3]),
    of("ij,ij->ij", ["batch", 3], ["batch", 3]),
    of("ijk,k->ij", ["batch", 3, 4], [4]),
    of("...ij,...jk->...ik", ["batch", 2, 3, 4], ["batch", 2, 4, 3]),
    of("...ij,...jk", [2, 3, 4], [1, 4, 3]),
    of("ab,bc,cd->ad", ["batch", 3], [3, 4], [4, 2]),
    of("abc,cd,be->aed", ["batch", 3, 4], [4, 2], [3, 5]),
  ],
  gradient: "none",
  infers: [
    [
      [
        ["batch", "n", 3],
        [3, "k"],
      ],
      { equation: "b n d , d k -> b k n" },
      "[batch, k, n]",
    ],
  ],
  refuses: [
    [
      [[2, 3]],
      { equation: "ij,jk->ik" },
      "the equation does not fit: expected 1 terms, one an input, got ij,jk",
    ],
    [[[2, 3]], { equation: "ijk->i" }, "input 0 does not fit: expected dimensions ijk, got [2, 3]"],
    [[[3, 3]], { equation: "ii->i" }, "a name stands twice in a term: diagonals are not taken"],
    [
      [[2, 3]],
      { equation: "ij->ik" },
      "the equation does not fit: expected a result of names in its terms, each once, got ik",
    ],
    [
      [
        [2, 3],
        [4, 5],
      ],
      { equation: "ij,jk->ik" },
      "lengths of j differ: expected 3, got 4",
    ],
    [
      [[2, 3]],
      { equation: "i1->i" },
      "the equation does not fit: expected letters, and … once a term, got i1",
    ],
  ],
});
