/// <reference path="../abi.d.ts" />

// What an op may ask of the compiler while it is lowered: places of values, memory, kernels to run.

import type { Kernels } from "../../build/groups/kernels";
import { OctetteError } from "../errors";
import type { ValueType } from "../graph/graph";
import type { Dim } from "../graph/symbols";
import type { Constant, TypedArray } from "../graph/tensor";
import type { Address, NONE, Size } from "./address";

/** Every kernel the host can call, typed by the AssemblyScript sources themselves. */
export type { Kernels };
export type KernelName = keyof Kernels;

/**
 * Order of a value's elements in memory. `plain` is ONNX's; `channelsLast` is [n, spatial…, channels] for a value
 * [n, channels, spatial…]; `flat:C` is such a value of C channels seen as [n, C·spatial] without being moved.
 */
export type Layout = "plain" | "channelsLast" | `flat:${number}`;

type IsAddress<P> = "__address" extends keyof P ? true : false;
type Argument<P> = IsAddress<P> extends true ? Address | typeof NONE : Dim;
type Arguments<P extends readonly unknown[]> = { readonly [I in keyof P]: Argument<P[I]> };
type WithoutRange<P extends readonly unknown[]> = P extends readonly [...infer Head, unknown, unknown]
  ? Head
  : never;

/** Arguments of a step: those of the kernel, without the range at their end. */
export type StepArguments<K extends KernelName> = Arguments<WithoutRange<Parameters<Kernels[K]>>>;
/** All arguments of a kernel that runs once, at load. */
export type LoadArguments<K extends KernelName> = Arguments<Parameters<Kernels[K]>>;

/** A constant that a load step reads, by name: its elements may still be in a file. */
export interface NamedConstant extends Constant {
  readonly name: string;
}

/** What load copies to memory: numbers computed here, or a constant. */
export type Content = TypedArray | NamedConstant;

/** Elements that are computed with here: numbers, or those of a constant that is a vector. */
export function elementsOf(content: Content): TypedArray {
  const elements = ArrayBuffer.isView(content) ? content : content.data;
  if (elements) return elements;
  const { name, shape } = content as NamedConstant;
  throw new OctetteError("is not a vector", {
    code: "graph",
    where: `constant "${name}"`,
    got: `[${shape}]`,
  });
}

/** What an op may ask of the compiler while it is lowered. */
export interface Lowering {
  /** Type of a value or constant, in ONNX's order of dimensions whatever its layout. */
  type(value: string): ValueType;
  layout(value: string): Layout;
  /** A constant, whose elements are there if it is a number or a vector; undefined for a value that is computed. */
  constant(value: string): NamedConstant | undefined;
  /** Where a value lies: an input of the unit, or a constant in plain order. */
  input(value: string): Address;
  /** Memory of an output; `over` names an input whose memory it may take when nothing else needs that. */
  output(value: string, over?: string): Address;
  /** The output is the input from some bytes on, seen otherwise: no memory, no step. */
  alias(output: string, input: string, from?: Dim): void;
  /** Content as it is, kept for the life of the plan. */
  data(content: Content): Address;
  /** What `make` gives, which is made for the first unit that asks for it under this key: a weight is packed once. */
  once<T>(key: string, make: () => T): T;
  /** Memory for packed constants, which a load step fills. */
  reserve(bytes: number): Address;
  /** Content, or bytes of it, or bytes to compute in, that exist only while this unit is loaded. */
  stage(content: Content | number, part?: { readonly from: number; readonly bytes: number }): Address;
  /** Copies content to reserved memory when this unit is loaded: what packs it there needs no stage of its size. @internal */
  fill(content: Content, to: Address): void;
  /** Loads what `make` stages apart from the rest of the unit, so that both are in the same memory one after another. @internal */
  apart(make: () => void): void;
  /**
   * Runs a kernel once, when the model is loaded, after this unit's staged content was copied. One that returns not 0 found numbers that
   * are not what is `expected`, in words.
   * @internal
   */
  load<K extends KernelName>(kernel: K, args: LoadArguments<K>, expected?: string): void;
  /**
   * Refuses runs in which `dim` is below 1 although the output has elements: there is nothing they could be of. Without an output, all such
   * runs. With `otherwise` where that is below 1, too. Where two have to be `equal`, runs in which they are not; where they have to `fit` in a
   * broadcast, runs in which they differ and neither is 1.
   */
  needs(dim: Dim, output: string | undefined, otherwise?: Dim, kind?: "equal" | "fit"): void;
  /** Refuses runs in which a size is below 0. */
  needsSize(dim: Dim): void;
  /** Memory for one step, not shared between threads. */
  scratch(bytes: Size): Address;
  /** Memory that only this unit's steps use. */
  temporary(bytes: Size): Address;
  /** Adds a step of a kernel that has no range: what loading runs once, in every run. @internal */
  call<K extends KernelName>(kernel: K, args: LoadArguments<K>): void;
  /** Adds a step over `count` units of the kernel's outermost output dimension. @internal */
  emit<K extends KernelName>(kernel: K, args: StepArguments<K>, count: Dim, macs?: Dim): void;
  /** Whether a dimension is never more than 1. Plans grow, so that a symbol has no largest value here. */
  isOne(dim: Dim): boolean;
}
