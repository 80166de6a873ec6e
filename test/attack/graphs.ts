// The graph of a seed and an index: of one operator mostly, else a chain of up to nine.

import { Random } from "../../src/graph/random";
import { Builder, type Case } from "./builder";
import { makers } from "./operators";

export const names: readonly string[] = Object.keys(makers);

/** Operators that octette has for what is known before a run: of constants mostly, and rarely inside of a chain. */
const folded = new Set(
  "Ceil ConstantOfShape Equal Floor Max Min Mod Not Range ReduceProd Size Where".split(" "),
);
/** Of which constants are made now and then. */
const foldable = new Set(
  "Abs Add Cast Concat Div Expand Gather Mul Neg Reshape Shape Slice Squeeze Sub Unsqueeze".split(" "),
);

/** Case `index` of a seed: the same on every machine. `only` names the operators it may be of. */
export function graphOf(seed: number, index: number, only: readonly string[] = names): Case {
  const start = new Random(seed);
  const random = new Random([start.next(), index + 1, start.next(), Math.imul(index + 1, 0x9e3779b1)]);
  for (let i = 0; i < 8; i++) random.next();
  for (;;) {
    const b = new Builder(random);
    const length = b.chance(0.6) ? 1 : b.chance(0.6) ? b.int(2, 3) : b.int(4, 9);
    // A single operator takes turns, so that none is forgotten.
    const first = only[index % only.length]!;
    for (let i = 0; i < length; i++) {
      let op = i === 0 ? first : b.pick(only);
      for (let again = 0; i > 0 && folded.has(op) && b.chance(0.8) && again < 20; again++) op = b.pick(only);
      b.folds = b.chance(folded.has(op) ? 0.7 : foldable.has(op) ? 0.15 : 0.01);
      if (makers[op]!(b) === false && i === 0) break;
    }
    if (b.nodes.length > 0) return b.finish(seed, index, length === 1 ? first : "chain");
  }
}
