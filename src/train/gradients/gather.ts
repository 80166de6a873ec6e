import type { Rule } from "./rule";

/** Slices that were picked more than once get the sum. */
export const gather: Rule = ({ node, inputs }, [dy], b) => {
  const [x, indices] = inputs as [string, string];
  const { shape } = b.type(x);
  b.give(x, b.write("GatherGradient", [dy!, indices], { ...node.attributes, shape })[0]);
};
