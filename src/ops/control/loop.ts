// Loop: runs a graph again and again, as often as a trip count says and while a condition holds. Values are carried from one iteration
// to the next, whose sizes may change; what an iteration makes beside them is stacked. ONNX Loop-25.

import type { Node, ValueType } from "../../graph/graph";
import { type Tensor, tensor } from "../../graph/tensor";
import { foundBy } from "../act";
import { ANY_NUMBER, type GraphTypes, numberOf, type Op, opError } from "../op";
import { Around, bodyOf, checkOne, inputsFor, ranksOf, widened } from "./entering";
import { findingTraits } from "./finding";
import { Stack } from "./stack";

/** Inputs before the values that are carried: trip count and condition. */
const FIRST = 2;

const carriedBy = (node: Node) => numberOf(node, "carried", 0);

const one = (dtype: "i32" | "bool"): ValueType => ({ dtype, shape: [] });

/** Types of what the inputs of the body are given. */
const givenTo = (inputs: readonly (ValueType | undefined)[]) => [
  one("i32"),
  one("bool"),
  ...inputs.slice(FIRST),
];

/** Types of the body's results: the condition, carried values, and those of one iteration. */
function resultsIn(node: Node, graphs: GraphTypes | undefined) {
  const [condition, ...results] = graphs?.body ?? [];
  const n = carriedBy(node);
  const [body, count] = [bodyOf(node, "body"), results.length];
  if (
    !condition ||
    !(n >= 0 && n <= count) ||
    node.outputs.length > count ||
    body.inputs.length !== node.inputs.length
  )
    throw opError(node, "its body does not fit", {
      expected: `a condition and at least ${Math.max(n, node.outputs.length)} results of ${node.inputs.length} inputs`,
      got: `${(graphs?.body ?? []).length} results of ${body.inputs.length} inputs`,
    });
  checkOne(node, [condition], 0, "bool", "what its body makes as condition");
  return { carried: results.slice(0, n), scanned: results.slice(n) };
}

export const loop: Op = {
  inputs: ANY_NUMBER,
  attributes: ["carried"],
  graphs: ["body"],
  infer(node, inputs, graphs) {
    checkOne(node, inputs, 0, "i32", "trip count");
    checkOne(node, inputs, 1, "bool", "condition");
    const { carried, scanned } = resultsIn(node, graphs);
    const { inputs: own } = bodyOf(node, "body");
    const end = FIRST + carried.length;
    const around = new Around(node, foundBy(node, ranksOf(carried) + ranksOf(scanned) + scanned.length));
    const given = givenTo(inputs);
    around.enter(own.slice(0, FIRST), given);
    around.enter(own.slice(end), given.slice(end));
    const shapes = around.carry(own.slice(FIRST, end), given.slice(FIRST, end), carried);
    return [
      ...carried.map(({ dtype }, i) => ({ dtype, shape: shapes[i]! })),
      ...scanned.map(({ dtype, shape }) => ({ dtype, shape: [around.find(), ...around.shape(shape)] })),
    ];
  },
  finds(node, _, graphs) {
    const { carried, scanned } = resultsIn(node, graphs);
    return ranksOf(carried) + ranksOf(scanned) + scanned.length;
  },
  act(node, [trips, condition, ...given], host) {
    const body = bodyOf(node, "body");
    const n = carriedBy(node);
    const captured = given.slice(n);
    const stacks = body.outputs.slice(1 + n).map(() => new Stack(node));
    const index = tensor("i32", [], [0]);
    let going = condition!;
    let carried: readonly Tensor[] = given.slice(0, n);
    let [spare, made]: (readonly Tensor[])[] = [[], []];
    for (let i = 0; i < trips!.data[0]! && going.data[0]; i++) {
      host.iterate(node);
      index.data[0] = i;
      const results = host.run(body, [index, { ...going, shape: [] }, ...carried, ...captured], spare);
      // What the iteration before made is written over by the next one.
      [spare, made] = [made!, results];
      going = results[0]!;
      carried = results.slice(1, 1 + n);
      for (const [k, stack] of stacks.entries()) stack.push(results[1 + n + k]!);
    }
    const otherwise = stacks.length > 0 ? host.typesOf(body, [index, going, ...carried, ...captured]) : [];
    const outputs = [...carried, ...stacks.map((stack, k) => stack.tensor(otherwise[1 + n + k]!))];
    return { outputs, found: outputs.flatMap(({ shape }) => shape) };
  },
  control: {
    captures: (node) => FIRST + carriedBy(node),
    enter: (node, inputs) => ({ body: inputsFor(node, bodyOf(node, "body"), givenTo(inputs)) }),
    widen(node, graphs) {
      const body = widened(node, bodyOf(node, "body"), FIRST, resultsIn(node, graphs).carried);
      return body && { body };
    },
  },
};

export const loopTraits = findingTraits;
