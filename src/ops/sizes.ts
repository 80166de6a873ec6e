// Sizes that kernels take as numbers. Where a size depends on a symbol, a plan is made for each value of that symbol.

import { OctetteError } from "../errors";
import { type Dim, formatShape, type Shape, symbolsOf } from "../graph/symbols";

/** A size is asked for as a number before a run has given its symbols values. */
export class SizesNeeded extends OctetteError {
  readonly symbols: readonly string[];

  constructor(where: string, shape: Shape) {
    super("a size must be known", {
      code: "graph",
      where,
      expected: "numbers",
      got: formatShape(shape),
      hint: "Fix the symbols when importing: importOnnx(bytes, { symbols: { height: 224, width: 224 } })",
    });
    this.symbols = shape.flatMap(symbolsOf);
  }
}

/** The shape in numbers. Throws SizesNeeded where a symbol is in it. */
export function sizesIn(where: string, shape: readonly Dim[]): readonly number[] {
  if (shape.every((dim) => typeof dim === "number")) return shape;
  throw new SizesNeeded(where, shape);
}
