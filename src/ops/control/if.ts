// If: the results of one of two graphs, which one a run decides. ONNX If-25. Branches may make other sizes, but of as many dimensions.

import type { Node, ValueType } from "../../graph/graph";
import { formatShape } from "../../graph/symbols";
import { foundBy } from "../act";
import { ANY_NUMBER, type GraphTypes, type Op, opError } from "../op";
import { Around, bodyOf, checkOne, inputsFor, ranksOf } from "./entering";
import { findingTraits } from "./finding";

const BRANCHES = ["then_branch", "else_branch"] as const;

/** Types of the outputs of both branches, which must be alike. */
function branchTypes(
  node: Node,
  graphs: GraphTypes | undefined,
): [readonly ValueType[], readonly ValueType[]] {
  const [a, b] = BRANCHES.map((name) => graphs?.[name] ?? []) as [readonly ValueType[], readonly ValueType[]];
  const at = Math.max(a.length, b.length, node.outputs.length);
  for (let i = 0; i < at; i++) {
    const [p, q] = [a[i], b[i]];
    if (p && q && p.dtype === q.dtype && p.shape.length === q.shape.length) continue;
    const told = (type: ValueType | undefined) =>
      type ? `${type.dtype} ${formatShape(type.shape)}` : "nothing";
    throw opError(node, `its branches make other types of output ${i}`, {
      expected: "the same element type and number of dimensions",
      got: `${told(p)} and ${told(q)}`,
      hint: "Give sizes that its condition compares as numbers: importOnnx(bytes, { symbols: { … } }) leaves one branch then",
    });
  }
  return [a, b];
}

const branching: Op = {
  inputs: ANY_NUMBER,
  graphs: BRANCHES,
  infer(node, inputs, graphs) {
    checkOne(node, inputs, 0, "bool", "condition");
    const [a, b] = branchTypes(node, graphs);
    const found = foundBy(node, ranksOf(a));
    const [then, other] = BRANCHES.map((name, i) => {
      const around = new Around(node, found);
      around.enter(inputsOf(node, name, inputs.length - 1), inputs.slice(1));
      return (i === 0 ? a : b).map(({ shape }) => around.shape(shape));
    });
    let next = 0;
    return a.map(({ dtype }, i) => ({
      dtype,
      shape: then![i]!.map((dim, axis) => {
        const symbol = found[next++]!;
        return dim === other![i]![axis] ? dim : symbol;
      }),
    }));
  },
  finds: (node, _, graphs) => ranksOf(branchTypes(node, graphs)[0]),
  act(node, [condition, ...given], { run }) {
    const outputs = run(bodyOf(node, BRANCHES[condition!.data[0] ? 0 : 1]), given);
    return { outputs, found: outputs.flatMap(({ shape }) => shape) };
  },
  control: {
    captures: () => 1,
    enter: (node, inputs) =>
      Object.fromEntries(
        BRANCHES.map((name) => [name, inputsFor(node, bodyOf(node, name), inputs.slice(1))]),
      ),
    choose(_, [condition]) {
      const holds = condition?.data[0];
      return typeof holds === "number" ? BRANCHES[holds ? 0 : 1] : undefined;
    },
  },
};

/** Inputs of a branch, as many as it is given. */
function inputsOf(node: Node, name: string, count: number) {
  const { inputs } = bodyOf(node, name);
  if (inputs.length === count) return inputs;
  throw opError(node, `its ${name} does not take as many inputs`, {
    expected: `${count}`,
    got: `${inputs.length}`,
  });
}

export { branching as if };
export const ifTraits = findingTraits;
