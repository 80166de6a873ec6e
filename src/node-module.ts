// Node's own modules, asked for at run time: a bundler for pages stops at an import of one.

interface NodeModules {
  readonly "node:crypto": typeof import("node:crypto");
  readonly "node:fs": typeof import("node:fs");
  readonly "node:fs/promises": typeof import("node:fs/promises");
  readonly "node:os": typeof import("node:os");
  readonly "node:path": typeof import("node:path");
  readonly "node:worker_threads": typeof import("node:worker_threads");
}

interface Host {
  readonly process?: {
    getBuiltinModule?<Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined;
  };
}

/** A module of Node, in Node and in what has its API (Bun, Deno); undefined elsewhere. */
export const nodeModule = <Name extends keyof NodeModules>(name: Name): NodeModules[Name] | undefined =>
  (globalThis as Host).process?.getBuiltinModule?.(name);
