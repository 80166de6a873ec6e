// The runtime of a toolkit, made once.

import { type Runtime, runtimeOf } from "./runtime-of";
import type { Toolkit } from "./toolkit";

const runtimes = /* @__PURE__ */ new WeakMap<Toolkit, Runtime>();

export function runtimeFor(toolkit: Toolkit): Runtime {
  const runtime = runtimes.get(toolkit) ?? runtimeOf(toolkit);
  runtimes.set(toolkit, runtime);
  return runtime;
}
