// Sizes that a run finds: what nodes give symbols, and whether that fits what is known.

import { OctetteError } from "../../errors";
import type { Node } from "../../graph/graph";
import { type Bindings, type Dim, evaluateDim, symbolsOf } from "../../graph/symbols";
import { foundBy } from "../../ops/act";
import { checkNeeds } from "../limit";
import type { Plan } from "../plan";

/** Symbols that a run has not found yet, where a plan is made for runs in which they are a size that it has. */
export const toldBy = ({ sizes }: Plan, known: Bindings): Bindings =>
  Object.fromEntries(
    Object.entries(sizes).flatMap(([symbol, dim]) =>
      symbol in known && symbolsOf(dim)[0] === dim && !(dim in known) ? [[dim, known[symbol]!]] : [],
    ),
  );

/** Throws where the sizes that are known before a part of a run do not fit: others are compared when the run has found them. */
export function checkKnown({ needs }: Plan, known: Bindings, part: number): void {
  const isKnown = (dim: Dim) => symbolsOf(dim).every((symbol) => symbol in known);
  const decided = needs.filter(
    // Those of later parts may be of sizes that the plan takes the run to find.
    (need) => need.part <= part && [need.dim, need.otherwise, need.elements].every(isKnown),
  );
  checkNeeds(decided, known);
}

/** Values of the symbols that a node finds. Those that are known, or follow from others, have to be what they are. */
export function bind(node: Node, found: readonly number[], bindings: Bindings, known: Bindings): Bindings {
  const sizes: Record<string, number> = {};
  for (const [i, dim] of foundBy(node, found.length).entries()) {
    const isOwn = symbolsOf(dim)[0] === dim && !(dim in known);
    if (isOwn) sizes[dim] = found[i]!;
    else if (evaluateDim(dim, bindings) !== found[i])
      throw new OctetteError("a size that is found is not that of the graph", {
        code: "graph",
        where: `${node.op} "${node.name}"`,
        expected: `${typeof dim === "number" ? "" : `${dim} = `}${evaluateDim(dim, bindings)}`,
        got: `${found[i]}`,
      });
  }
  return sizes;
}
