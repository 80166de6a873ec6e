// Node's own modules, asked for at run time: a bundler for pages stops at an import of one. In place of this file it takes
// no-node-module.ts, by the field "browser" of package.json, so that pages do not download code for Node.

import type { ByteReader } from "./engine/source";
import type { Sha256 } from "./graph/sha256";

interface NodeModules {
  readonly "node:crypto": typeof import("node:crypto");
  readonly "node:fs": typeof import("node:fs");
  readonly "node:fs/promises": typeof import("node:fs/promises");
  readonly "node:os": typeof import("node:os");
  readonly "node:path": typeof import("node:path");
  readonly "node:v8": typeof import("node:v8");
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

/**
 * Opens a file by path or file URL; `check` gets its number of bytes. Undefined without Node, and for http URLs.
 */
export function nodeFile(
  url: string,
  check: (bytes: number, url: string) => void,
  unreadable: (url: string, cause: unknown) => Error,
): ByteReader | undefined {
  const files = nodeModule("node:fs");
  if (!files || /^https?:/.test(url)) return undefined;
  const file = files.openSync(url.startsWith("file:") ? new URL(url) : url, "r");
  const close = () => files.closeSync(file);
  try {
    const info = files.fstatSync(file);
    if (info.isFile()) check(info.size, url);
    const read = (target: Uint8Array) => {
      let count = 0;
      try {
        for (let more = -1; more !== 0 && count < target.length; count += more)
          more = files.readSync(file, target, count, target.length - count, null);
      } catch (cause) {
        throw unreadable(url, cause);
      }
      return count;
    };
    return { ...(info.isFile() ? { size: info.size } : {}), read, close };
  } catch (cause) {
    close();
    throw cause;
  }
}

/** A module of wasm among the files of the package; undefined without Node, and in a bundle, beside which may lie those of another version. */
export function nodeWasm(name: string): Uint8Array | undefined {
  // Not within `new URL`, where bundlers would look for it.
  const here = import.meta.url;
  if (!/\/node-module\.js$/.test(here)) return undefined;
  try {
    return nodeModule("node:fs")?.readFileSync(new URL(`wasm/${name}.wasm`, here));
  } catch {
    return undefined;
  }
}

/** Node's SHA-256; undefined where there is no Node. */
export function nodeSha256(): Sha256 | undefined {
  const hash = nodeModule("node:crypto")?.createHash("sha256");
  if (!hash) return undefined;
  const self: Sha256 = {
    update(bytes) {
      hash.update(bytes);
      return self;
    },
    digest: () => hash.digest("hex"),
  };
  return self;
}
