import type { Rule } from "./rule";

/** Every element is a factor of all products from it on: of those before it, and of what comes after. */
export const cumProd: Rule = ({ node, inputs: [x] }, [dy], b) => {
  const before = b.write("CumProd", [x!], { ...node.attributes, exclusive: 1 })[0];
  b.give(x!, b.write("CumProdGradient", [dy!, x!, before], node.attributes)[0]);
};
