/// <reference path="../wasm.d.ts" />

// The compiled kernels of the further op groups: apart from those of the core, which are downloaded without them.

import { groupModules } from "../../build/groups/modules";

export { groupModules };

/** The class that a module is of, by its name. */
const CLASS = /(Baseline|Extmul|Relaxed)$/;

/** The modules of op groups that have any of these kernels, by name. Of a group with one module for each engine class, those of the given classes. */
export const groupsWith = (
  kernels: ReadonlySet<string>,
  classes: readonly string[],
): [name: string, wasm: Uint8Array][] =>
  Object.entries(groupModules).filter(([name]) => {
    const [own] = CLASS.exec(name) ?? [];
    if (own !== undefined && !classes.includes(own.toLowerCase())) return false;
    // Classes have the same kernels, and not every engine compiles all of them.
    const wasm = groupModules[name.replace(CLASS, "Baseline") as keyof typeof groupModules];
    return WebAssembly.Module.exports(new WebAssembly.Module(wasm as BufferSource)).some((kernel) =>
      kernels.has(kernel.name),
    );
  });
