// Wasm with a part of its kernels: valid, with the exports asked for, and they compute what they did.

import { describe, expect, test } from "vitest";
import { keepKernels } from "../../src/bundle/keep-kernels";
import { groupModules } from "../../src/engine/group-modules";
import { modules } from "../../src/engine/modules";

const compiled = (bytes: Uint8Array) => new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
const kernelsOf = (bytes: Uint8Array) =>
  WebAssembly.Module.exports(compiled(bytes)).flatMap(({ kind, name }) =>
    kind === "function" ? [name] : [],
  );

for (const [group, bytes] of Object.entries({ ...modules, ...groupModules }))
  describe.skipIf(!WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>))(group, () => {
    const all = WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>) ? kernelsOf(bytes) : [];

    test("with all of them is the same to the byte", () => {
      expect(keepKernels(bytes, () => true)).toEqual(bytes);
    });

    test("with any one of them is valid and smaller", () => {
      for (const kernel of all) {
        const one = keepKernels(bytes, (name) => name === kernel);
        expect(kernelsOf(one)).toEqual([kernel]);
        expect(one.length).toBeLessThan(bytes.length + (all.length === 1 ? 1 : 0));
      }
    });

    test("with none of them is nearly nothing", () => {
      expect(keepKernels(bytes, () => false).length).toBeLessThan(1000);
    });
  });

test("a kernel still calls what it calls", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const run = (bytes: Uint8Array) => {
    const x = Float32Array.from({ length: 17 }, (_, i) => i - 8);
    const floats = new Float32Array(memory.buffer);
    floats.fill(0).set(x, 64);
    const { gelu } = new WebAssembly.Instance(compiled(bytes), { env: { memory } }).exports;
    (gelu as (...args: number[]) => void)(1024, 256, 0, 17);
    return floats.slice(256, 256 + 17);
  };
  const one = keepKernels(groupModules.math, (name) => name === "gelu");
  expect(run(one)).toEqual(run(groupModules.math));
  expect(run(one)[16]).toBeCloseTo(8);
});
