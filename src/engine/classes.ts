// The classes of int8 kernels beside baseline, each with what decides whether an engine runs it. A runtime that carries
// none of them carries no probe either.

import { isExtmulFaster, probeRelaxedDot, type RelaxedDot } from "./features";

/** Where a module comes from: its bytes, a response or a file that carries them, what imports them, or the compiled module. */
export type WasmSource = Uint8Array | Response | URL | (() => Promise<Uint8Array>) | WebAssembly.Module;

/** What a class finds in the engine it is to run on. */
export interface Verdict {
  /** Whether it is exact there, and fast. */
  readonly isFit: boolean;
  /** Why, in words. */
  readonly reason: string;
  readonly relaxedDot?: RelaxedDot;
  /** Whether it reads both operands as signed, where pairs of −128·−128 may wrap: it is exact where no weight is −128. */
  readonly isSigned?: boolean;
  /** Looks again once the probe is hot; why the class is not to be trusted after all, where that is so. */
  doubt?(): string | undefined;
}

/** A class: its module and its probe. */
export interface KernelClass {
  readonly wasm: WasmSource;
  readonly probe: () => Verdict;
}

/** Compilers of one engine differ in whether pairs of −128·−128 wrap. */
const isSignedDot = (dot: RelaxedDot) => dot === "s8s8" || dot === "s8s8-wrapping";

const findings: Record<RelaxedDot, string> = {
  absent: "this engine has no relaxed SIMD",
  forbidden: "no probe may be compiled here",
  broken: "this engine's relaxed dot product is wrong",
  "u8s8-saturating": "this engine's relaxed dot product saturates in 16 bits",
  u8s8: "this engine's relaxed dot product is exact over 8 bits",
  s8s8: "this engine's relaxed dot product is exact over signed bytes",
  "s8s8-wrapping": "this engine's relaxed dot product is exact over signed bytes but −128·−128",
};

/** The relaxed dot product, where it is exact over all activations. */
// @__NO_SIDE_EFFECTS__
export const relaxedClass = (wasm: WasmSource, probe = probeRelaxedDot): KernelClass => ({
  wasm,
  probe() {
    const { cold, hot } = probe();
    const isSigned = isSignedDot(cold);
    return {
      isFit: isSigned || cold === "u8s8",
      reason: findings[cold],
      relaxedDot: cold,
      isSigned,
      doubt() {
        const found = hot();
        if (found === cold || (isSigned && isSignedDot(found))) return undefined;
        return `the relaxed dot product changed from ${cold} to ${found} when it was optimised`;
      },
    };
  },
});

/** Products of bytes in plain SIMD, where they are faster than those of 16 bits. */
// @__NO_SIDE_EFFECTS__
export const extmulClass = (wasm: WasmSource, isFaster = isExtmulFaster): KernelClass => ({
  wasm,
  probe() {
    const isFit = isFaster();
    return { isFit, reason: `products of bytes are ${isFit ? "" : "no "}faster here than those of 16 bits` };
  },
});
