// Einsum: sums of products over named dimensions. It has no kernel: a pass writes it with products of matrices.

import type { Node, ValueType } from "../../graph/graph";
import { bothDims, type Dim, formatShape, type Shape } from "../../graph/symbols";
import { mayEqual } from "../equal";
import { ANY_NUMBER, floatType, type Op, opError, stringOf, type Traits } from "../op";

export interface Equation {
  /** Names of the dimensions of each input, a letter or, of those under "…", a number each. */
  readonly terms: readonly (readonly string[])[];
  readonly result: readonly string[];
}

const LETTERS = /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/;

/** The names in a term; those under "…" are counted from the last dimension on. */
function namesOf(node: Node, term: string, hidden: number): string[] {
  if (!LETTERS.test(term))
    throw opError(node, "the equation does not fit", { expected: "letters, and … once a term", got: term });
  const [before = "", behind] = term.split("...");
  if (behind === undefined) return [...before];
  return [...before, ...Array.from({ length: hidden }, (_, i) => `${hidden - i}`), ...behind];
}

/** The equation for inputs of these shapes. Without a result it has the names that come once, in the order of the alphabet. */
export function equationOf(node: Node, shapes: readonly Shape[]): Equation {
  const [left = "", right] = stringOf(node, "equation", "").replaceAll(" ", "").split("->");
  const written = left.split(",");
  if (written.length !== shapes.length)
    throw opError(node, "the equation does not fit", {
      expected: `${shapes.length} terms, one an input`,
      got: left,
    });
  const hidden = written.map((term, i) => shapes[i]!.length - term.replace("...", "").length);
  const terms = written.map((term, i) => namesOf(node, term, Math.max(0, hidden[i]!)));
  for (const [i, names] of terms.entries()) {
    if (names.length !== shapes[i]!.length)
      throw opError(node, `input ${i} does not fit`, {
        expected: `dimensions ${written[i]}`,
        got: formatShape(shapes[i]!),
      });
    if (new Set(names).size !== names.length)
      throw opError(node, "a name stands twice in a term: diagonals are not taken", {
        expected: "different names",
        got: written[i]!,
      });
  }
  const all = terms.flat();
  const most = Math.max(0, ...hidden.map((count, i) => (written[i]!.includes("...") ? count : 0)));
  const once = [...new Set(all)].filter((name) => all.filter((other) => other === name).length === 1);
  const letters = once.filter((name) => /[A-Za-z]/.test(name)).sort();
  const result =
    right === undefined
      ? [...Array.from({ length: most }, (_, i) => `${most - i}`), ...letters]
      : namesOf(node, right, most);
  if (new Set(result).size !== result.length || result.some((name) => !all.includes(name)))
    throw opError(node, "the equation does not fit", {
      expected: "a result of names in its terms, each once",
      got: right ?? left,
    });
  return { terms, result };
}

/** The length of each name; of those under "…" one of 1 is repeated. */
export function extentsOf(node: Node, { terms }: Equation, shapes: readonly Shape[]): Map<string, Dim> {
  const extents = new Map<string, Dim>();
  for (const [i, names] of terms.entries())
    for (const [axis, name] of names.entries()) {
      const [known = 1, dim] = [extents.get(name), shapes[i]![axis]!];
      if (!mayEqual(known, dim) && known !== 1 && dim !== 1)
        throw opError(node, `lengths of ${name} differ`, { expected: `${known}`, got: `${dim}` });
      extents.set(name, bothDims(known, dim));
    }
  return extents;
}

const shapesOf = (node: Node, inputs: readonly (ValueType | undefined)[]) =>
  node.inputs.map((_, i) => floatType(node, inputs, i).shape);

/** Σ of products over the dimensions that the result has not. ONNX Einsum-12. */
export const einsum: Op = {
  inputs: ANY_NUMBER,
  attributes: ["equation"],
  infer(node, inputs) {
    const shapes = shapesOf(node, inputs);
    const equation = equationOf(node, shapes);
    const extents = extentsOf(node, equation, shapes);
    return [{ dtype: "f32", shape: equation.result.map((name) => extents.get(name)!) }];
  },
};

export const einsumTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
