// Layers whose weights a step computes are lowered by the rules of those whose weights are loaded: what loading would do
// once is done in every run, in memory that only the layer's steps use.

import { OctetteError } from "../../errors";
import type { Address, Content, Lowering, NamedConstant } from "../../ops/op";

/** A lowering that takes computed values for constants. */
export function everyRun(c: Lowering): Lowering {
  const place = (content: Content): Address =>
    isNamed(content) && !c.constant(content.name) ? c.input(content.name) : c.data(content);
  return {
    type: (value) => c.type(value),
    layout: (value) => c.layout(value),
    constant: (value) => c.constant(value) ?? asConstant(c, value),
    input: (value) => c.input(value),
    output: (value, over) => c.output(value, over),
    alias: (output, input, from) => c.alias(output, input, from),
    data: place,
    reserve: (bytes) => c.temporary(bytes),
    stage: (content) => (typeof content === "number" ? c.temporary(content) : place(content)),
    fill() {
      throw new OctetteError("weights that a step computes are not packed where they lie", {
        code: "engine",
      });
    },
    apart: (make) => make(),
    load: (kernel, args) => c.call(kernel, args),
    // What a step computes may differ from unit to unit.
    once: (_, make) => make(),
    needs: (...asked) => c.needs(...asked),
    needsSize: (dim) => c.needsSize(dim),
    scratch: (bytes) => c.scratch(bytes),
    temporary: (bytes) => c.temporary(bytes),
    call: (kernel, args) => c.call(kernel, args),
    emit: (kernel, args, count, macs) => c.emit(kernel, args, count, macs),
    isOne: (dim) => c.isOne(dim),
  };
}

const isNamed = (content: Content): content is NamedConstant => !ArrayBuffer.isView(content);

/** A computed value as a constant whose elements are not here. */
function asConstant(c: Lowering, value: string): NamedConstant {
  const { dtype, shape } = c.type(value);
  return { name: value, dtype, shape: shape as number[] };
}
