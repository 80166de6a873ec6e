import type { Rule } from "./rule";
import { orTable } from "./table";

/** dx = dy · σ(x) */
export const softplus: Rule = orTable(({ inputs }, [dy], b) => {
  const [x] = inputs as [string];
  b.give(x, b.write("Mul", [dy!, b.write("Sigmoid", [x])[0]])[0]);
});
