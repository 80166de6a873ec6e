// Ops that pick elements by indices, and ops that put them: the gradient of one is the other.

import type { Attribute } from "../../graph/graph";
import { numberOf, opError, stringOf, type Unit } from "../../ops/op";
import type { Backward, Rule } from "./rule";

/** Slices that were picked more than once get the sum. */
export const gather: Rule = ({ node, inputs }, [dy], b) => {
  const [x, indices] = inputs as [string, string];
  const { shape } = b.type(x);
  b.give(x, b.write("GatherGradient", [dy!, indices], { ...node.attributes, shape })[0]);
};

/** Elements that were picked more than once get the sum. */
const scattered =
  (op: "ScatterElements" | "ScatterND"): Rule =>
  ({ node, inputs }, [dy], b) => {
    const [x, indices] = inputs as [string, string];
    const zeros = b.write("Zeros", [], { shape: b.type(x).shape })[0];
    b.give(x, b.write(op, [zeros, indices, dy!], { ...node.attributes, reduction: "add" })[0]);
  };

export const gatherElements = scattered("ScatterElements");
export const gatherND = scattered("ScatterND");

/** What was replaced has none; each update has that of its place. */
function picked(
  { node, inputs }: Unit,
  dy: string,
  b: Backward,
  [gather, scatter]: readonly [string, string],
  attributes: Readonly<Record<string, Attribute>>,
): void {
  const [x, indices, updates] = inputs as [string, string, string];
  const reduction = stringOf(node, "reduction", "none");
  if (reduction !== "none" && reduction !== "add")
    throw opError(node, "its reduction has no gradient", { expected: "none or add", got: reduction });
  if (b.wants(updates)) b.give(updates, b.write(gather, [dy, indices], attributes)[0]);
  if (!b.wants(x)) return;
  if (reduction === "add") return b.give(x, dy);
  const zeros = b.write("Zeros", [], { shape: b.type(updates).shape })[0];
  b.give(x, b.write(scatter, [dy, indices, zeros], attributes)[0]);
}

export const scatterElements: Rule = (unit, [dy], b) =>
  picked(unit, dy!, b, ["GatherElements", "ScatterElements"], { axis: numberOf(unit.node, "axis", 0) });

export const scatterND: Rule = (unit, [dy], b) =>
  picked(unit, dy!, b, ["GatherND", "ScatterND"], { batch_dims: numberOf(unit.node, "batch_dims", 0) });
