// How many threads a model may have, and how one wasm file serves one thread and many. What starts threads and hands
// them work is loaded only where more than one is asked for: thread-pool.ts.

import { OctetteError } from "../errors";
import { nodeModule } from "../node-module";

/** More than any device has. */
const MAX_THREADS = 32;

/** How many threads there are. */
export interface Threads {
  readonly threads: number;
  /** Why not more. */
  readonly threadsReason: string;
}

const one = (threadsReason: string): Threads => ({ threads: 1, threadsReason });

/** How many threads this engine has for a model. */
export function threadsHere(): Threads {
  if (typeof SharedArrayBuffer === "undefined")
    return one(
      globalThis.crossOriginIsolated === false
        ? "the page is not cross-origin isolated: its server must send COOP and COEP headers"
        : "this engine has no SharedArrayBuffer",
    );
  const cores = coresHere();
  if (cores === undefined) return { threads: MAX_THREADS, threadsReason: "nothing counts the cores here" };
  return {
    threads: Math.min(cores, MAX_THREADS),
    threadsReason:
      cores > MAX_THREADS
        ? `at most ${MAX_THREADS} are used`
        : `${cores} ${cores === 1 ? "core is" : "cores are"} available`,
  };
}

/** How many of the threads asked for a model gets; `unsharable`: what keeps its wasm from sharing memory. */
export function threadsFor(asked: number, unsharable: string | undefined): Threads {
  if (!Number.isInteger(asked) || asked < 1)
    throw new OctetteError("invalid number of threads", {
      code: "argument",
      where: "threads",
      expected: "a positive integer",
      got: `${asked}`,
    });
  if (asked === 1) return one("no more are asked for: { threads: 2 }");
  const here = threadsHere();
  if (here.threads < asked) return here;
  return unsharable ? one(unsharable) : { threads: asked, threadsReason: "no more are asked for" };
}

/** Cores that this process may use. Node has told pages' way since 21, and by this way round since 20.16. */
function coresHere(): number | undefined {
  if (typeof navigator !== "undefined" && navigator.hardwareConcurrency) return navigator.hardwareConcurrency;
  return nodeModule("node:os")?.availableParallelism();
}

/** How a module imports a memory with a maximum: the name, the kind, and the flags of its limits. */
// biome-ignore format: "memory" in one line
const IMPORT = [6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 1];

/** A copy of a module's bytes whose imported memory is a shared one: another flag of its limits. */
export function sharing(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  const at = copy.findIndex((_, i) => IMPORT.every((byte, j) => copy[i + j] === byte));
  if (at >= 0) copy[at + IMPORT.length - 1] = 3;
  return copy;
}
