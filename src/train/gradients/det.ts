import type { Rule } from "./rule";

/** dx = dy · cofactors of x */
export const det: Rule = ({ inputs: [x] }, [dy], b) => b.give(x!, b.write("DetGradient", [dy!, x!])[0]);
