// Weights that are constants are prepared when a model is loaded, those that a run computes in every run, by the same kernels.

import { type Address, behind, type KernelName, type LoadArguments, type Lowering } from "./op";

export class Prepared {
  /** Where its elements are when the kernels run. */
  readonly source: Address;
  readonly #c: Lowering;
  readonly #isConstant: boolean;

  /** Of a value or constant; of a constant only some bytes, if only they are read. */
  constructor(c: Lowering, value: string, part?: { readonly from: number; readonly bytes: number }) {
    const constant = c.constant(value);
    this.#c = c;
    this.#isConstant = constant !== undefined;
    this.source = constant ? c.stage(constant, part) : behind(c.input(value), part?.from ?? 0);
  }

  /** Memory between two of the kernels. */
  between(bytes: number): Address {
    return this.#isConstant ? this.#c.stage(bytes) : this.#c.temporary(bytes);
  }

  /** Memory for what steps read. */
  made(bytes: number): Address {
    return this.#isConstant ? this.#c.reserve(bytes) : this.#c.temporary(bytes);
  }

  run<K extends KernelName>(kernel: K, args: LoadArguments<K>): void {
    if (this.#isConstant) this.#c.load(kernel, args);
    else this.#c.call(kernel, args);
  }
}
