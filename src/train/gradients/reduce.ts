import type { Rule } from "./rule";

export const reduceMean: Rule = ({ node, inputs }, [dy], b) => {
  const { shape } = b.type(inputs[0]!);
  b.give(inputs[0]!, b.write("ReduceMeanGradient", [dy!], { ...node.attributes, shape })[0]);
};
