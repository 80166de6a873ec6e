// The runtime of a toolkit, made once.

import type { Toolkit } from "../toolkit/toolkit";
import { type Runtime, runtimeOf } from "./runtime";

const runtimes = /* @__PURE__ */ new WeakMap<Toolkit, Runtime>();

export function runtimeFor(toolkit: Toolkit): Runtime {
  const runtime = runtimes.get(toolkit) ?? runtimeOf(toolkit);
  runtimes.set(toolkit, runtime);
  return runtime;
}
