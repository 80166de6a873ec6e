/// <reference path="../../wasm.d.ts" />

// Memory of its own for the kernels that only quantizing a language model needs (assembly/quantizer.ts), handed out from the
// bottom up and taken back down to a mark.

import quantizer from "../../../build/wasm/quantizer.wasm";
import { PAGE } from "../../engine/memory";
import { OctetteError } from "../../errors";

export type QuantizerKernels = typeof import("../../../build/abi/quantizer");

/** What wasm can address. */
const MOST_PAGES = 65_536;
/** Kernels may read so many bytes past an operand. */
const PAST = 64;

let compiled: WebAssembly.Module | undefined;

/** Compiles the kernels without blocking; a workspace that is made before compiles them itself. */
export async function prepareWorkspace(): Promise<void> {
  compiled ??= await WebAssembly.compile(quantizer as BufferSource);
}

export class Workspace {
  readonly kernels: QuantizerKernels;
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES });
  #top = PAST;

  constructor() {
    compiled ??= new WebAssembly.Module(quantizer as BufferSource);
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory: this.#memory, signs: 0 } });
    this.kernels = exports as unknown as QuantizerKernels;
  }

  /** Bytes of memory that it holds; they are not given back before it is let go of. */
  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Start of the next reservation: `release` frees everything from there on. */
  get mark(): number {
    return this.#top;
  }

  release(mark: number): void {
    this.#top = mark;
  }

  /** Address of so many bytes, at a multiple of 16; views that were made before may be of no memory afterwards. */
  reserve(bytes: number): number {
    const at = this.#top;
    const end = at + Math.ceil((bytes + PAST) / 16) * 16;
    const missing = Math.ceil((end - this.bytes) / PAGE);
    if (missing > 0 && this.#memory.grow(missing) < 0)
      throw new OctetteError("a layer takes more memory than wasm has", {
        code: "limit",
        where: "quantize",
        expected: `at most ${MOST_PAGES * PAGE} bytes`,
        got: `${end}`,
      });
    this.#top = end;
    return at;
  }

  /** Memory for n floats: zeros, or a copy of the given ones. */
  floats(n: number, from?: Float32Array): number {
    const at = this.reserve(4 * n);
    const view = this.f32(at, n);
    if (from) view.set(from);
    else view.fill(0);
    return at;
  }

  /** A view, until memory is reserved the next time. */
  f32(at: number, n: number): Float32Array {
    return new Float32Array(this.#memory.buffer, at, n);
  }

  /** As `f32`, of bytes. */
  i8(at: number, n: number): Int8Array {
    return new Int8Array(this.#memory.buffer, at, n);
  }

  /** As `f32`, of integers. */
  i32(at: number, n: number): Int32Array {
    return new Int32Array(this.#memory.buffer, at, n);
  }
}
