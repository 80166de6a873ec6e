import { numberOf } from "../../ops/op";
import type { Rule } from "./rule";

/** Every element is in the sums from it on: the same sums of dy, the other way round. */
export const cumSum: Rule = ({ node, inputs }, [dy], b) => {
  const reverse = 1 - numberOf(node, "reverse", 0);
  b.give(inputs[0]!, b.write("CumSum", [dy!], { ...node.attributes, reverse })[0]);
};
