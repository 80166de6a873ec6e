/// <reference path="../wasm.d.ts" />

// The compiled kernels of the further op groups: apart from those of the core, which are downloaded without them.

import { groupModules } from "../../build/groups/modules";

export { groupModules };

/** The modules of op groups that have any of these kernels, by name. */
export const groupsWith = (kernels: ReadonlySet<string>): [name: string, wasm: Uint8Array][] =>
  Object.entries(groupModules).filter(([, wasm]) =>
    WebAssembly.Module.exports(new WebAssembly.Module(wasm as BufferSource)).some(({ name }) =>
      kernels.has(name),
    ),
  );
