// What the plan of a training step takes, and what it would take if every code of an activation were the float it stands for:
// the same steps, masks and order, but four bytes an element.

import { planOf, training } from "./trainer.js";

/** The last step of the forward pass. */
const LOSS = "crossEntropy";

/** Bytes of the whole plan, and of values that the forward pass leaves to the backward pass. */
export function memoryOf(step, batch, engineClass, keepsFloats) {
  const outputs = new Set();
  const watch = (c) => watched(c, outputs, keepsFloats);
  const registry = Object.fromEntries(
    Object.entries(training.ops).map(([name, op]) => {
      const { lower, lowerInteger } = op;
      return [
        name,
        {
          ...op,
          ...(lower ? { lower: (unit, c) => lower(unit, watch(c)) } : {}),
          ...(lowerInteger ? { lowerInteger: (unit, c) => lowerInteger(unit, watch(c)) } : {}),
        },
      ];
    }),
  );
  const plan = planOf(step, batch, engineClass, registry);
  const loss = plan.steps.findIndex(({ kernel }) => kernel === LOSS);
  const saved = [...outputs].filter(
    ({ area, first, last }) => area === "arena" && first <= loss && last > loss,
  );
  return {
    plan: plan.memory.totalBytes,
    saved: saved.reduce((sum, { bytes }) => sum + bytes, 0),
    buffers: outputs,
  };
}

/** A lowering that tells which buffers values lie in, and makes those of codes as large as floats. */
function watched(c, outputs, keepsFloats) {
  const isCode = (value) => c.type(value).dtype === "u8" && !value.includes("_mask");
  function output(value, over) {
    const taken = over === undefined || !isCode(over) ? undefined : c.input(over).buffer;
    if (keepsFloats && taken) taken.bytes /= 4;
    const address = c.output(value, over);
    if (keepsFloats && taken) taken.bytes *= 4;
    if (keepsFloats && isCode(value) && address.buffer !== taken) address.buffer.bytes *= 4;
    outputs.add(address.buffer);
    return address;
  }
  return new Proxy(c, {
    get: (_, key) => (key === "output" ? output : typeof c[key] === "function" ? c[key].bind(c) : c[key]),
  });
}
