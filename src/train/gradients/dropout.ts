import { tensor } from "../../graph/tensor";
import { numberOf } from "../../ops/op";
import { factorOf } from "../ops/dropout";
import type { Rule } from "./rule";

/** dx = dy / (1 − ratio): the dropout mask is applied already. */
export const dropout: Rule = ({ node, inputs }, [dy], b) => {
  const ratio = numberOf(node, "ratio", 0);
  if (ratio === 0) return b.give(inputs[0]!, dy!);
  const factor = b.data(tensor("f32", [], [factorOf(ratio)]));
  b.give(inputs[0]!, b.write("Mul", [dy!, factor])[0]);
};
