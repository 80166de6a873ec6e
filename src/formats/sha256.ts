// SHA-256 of bytes as they pass: Node's own where there is one, which is ten times as fast from the first byte on, a
// library elsewhere.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

export interface Sha256 {
  update(bytes: Uint8Array): Sha256;
  /** In hexadecimal. */
  digest(): string;
}

interface NodeHash {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}
interface NodeProcess {
  getBuiltinModule?(name: "node:crypto"): { createHash(name: "sha256"): NodeHash };
}

export function createSha256(): Sha256 {
  const { process } = globalThis as { process?: NodeProcess };
  const node = process?.getBuiltinModule?.("node:crypto").createHash("sha256");
  const hash = node ?? sha256.create();
  const self: Sha256 = {
    update(bytes) {
      hash.update(bytes);
      return self;
    },
    digest: () =>
      node ? node.digest("hex") : bytesToHex((hash as ReturnType<typeof sha256.create>).digest()),
  };
  return self;
}
