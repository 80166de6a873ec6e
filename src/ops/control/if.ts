// If: the results of one of two graphs, which one a run decides. ONNX If-25. Branches may make other sizes, but of as many dimensions.
// One whose types do not fit is left out.

import type { Node, ValueType } from "../../graph/graph";
import { foundBy } from "../act";
import { ANY_NUMBER, type GraphTypes, type Op, opError } from "../op";
import { Around, bodyOf, checkOne, inputsFor, ranksOf, toldType } from "./entering";
import { findingTraits } from "./finding";

const BRANCHES = ["then_branch", "else_branch"] as const;

/** Names of the branches that a node has: one where `unfit` says why the other was left out. */
function branchesOf(node: Node) {
  const own = BRANCHES.filter((name) => node.graphs?.[name]);
  if (own.length === (node.attributes.unfit === undefined ? 2 : 1)) return own;
  throw opError(node, "its graphs are not those that the op runs", {
    expected: BRANCHES.join(", "),
    got: own.join(", ") || "none",
  });
}

/** Types of the outputs of each branch, which must be alike. */
function branchTypes(node: Node, graphs: GraphTypes = {}): (readonly ValueType[])[] {
  const types = branchesOf(node).map((name) => graphs[name]!);
  const [a = [], b = a] = types;
  const at = Math.max(a.length, b.length, node.outputs.length);
  for (let i = 0; i < at; i++) {
    const [p, q] = [a[i], b[i]];
    if (p && q && p.dtype === q.dtype && p.shape.length === q.shape.length) continue;
    throw opError(node, `its branches make other types of output ${i}`, {
      expected: "the same element type and number of dimensions",
      got: `${toldType(p)} and ${toldType(q)}`,
      hint: "Fix the symbols that its condition compares when importing (options.symbols)",
    });
  }
  return types;
}

const branching: Op = {
  inputs: ANY_NUMBER,
  attributes: ["unfit"],
  graphs: BRANCHES,
  infer(node, inputs, graphs) {
    checkOne(node, inputs, 0, "bool", "condition");
    const types = branchTypes(node, graphs);
    const [a = []] = types;
    const found = foundBy(node, ranksOf(a));
    const [then, other = then] = branchesOf(node).map((name, i) => {
      const around = new Around(node, found);
      around.enter(inputsOf(node, name, inputs.length - 1), inputs.slice(1));
      return types[i]!.map(({ shape }) => around.shape(shape));
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
  finds: (node, _, graphs) => ranksOf(branchTypes(node, graphs)[0] ?? []),
  act(node, [condition, ...given], { run }) {
    const outputs = run(bodyOf(node, BRANCHES[condition!.data[0] ? 0 : 1]), given);
    return { outputs, found: outputs.flatMap(({ shape }) => shape) };
  },
  control: {
    captures: () => 1,
    enter: (node, inputs) =>
      Object.fromEntries(
        branchesOf(node).map((name) => [name, inputsFor(node, bodyOf(node, name), inputs.slice(1))]),
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
