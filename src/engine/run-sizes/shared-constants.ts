// Constants that plans for other sizes share with the first one: what the same kernels pack of the same numbers is in memory
// once. What is not the same, such as the geometry of a window, is the plan's own.

import { bytesIn } from "../../graph/tensor";
import type { Buffer } from "../../ops/op";
import { type LoweringContext, type PendingLoad, WHILE_LOADING } from "../lowering";

/** Load groups that write to the same buffers. */
interface Component {
  readonly loads: PendingLoad[];
  readonly buffers: Set<Buffer>;
}

/** What a later plan takes from the first, and loads itself. */
export interface Sharing {
  /** The first plan's buffer in place of one. */
  readonly same: ReadonlyMap<Buffer, Buffer>;
  readonly own: readonly PendingLoad[];
}

export class SharedConstants {
  readonly #components = new Map<string, Component[]>();
  readonly #states: readonly Buffer[];
  /** All constants of the first plan. */
  readonly buffers: readonly Buffer[];

  constructor({ loads, buffers, stateBuffers }: LoweringContext) {
    this.#states = stateBuffers;
    this.buffers = buffers.filter(({ area }) => area === "constants");
    for (const component of componentsOf(loads)) {
      const key = keyOf(component);
      this.#components.set(key, [...(this.#components.get(key) ?? []), component]);
    }
  }

  /** Finds what a later plan shares. The rest of its constants become buffers of its arena that live in all of its steps. */
  share({ loads, buffers, stateBuffers }: LoweringContext): Sharing {
    const same = new Map<Buffer, Buffer>(stateBuffers.map((state, i) => [state, this.#states[i]!]));
    const own: PendingLoad[] = [];
    for (const component of componentsOf(loads)) {
      const known = this.#components.get(keyOf(component))?.find((other) => hasNumbersOf(component, other));
      if (!known) own.push(...component.loads);
      const [mine, first] = [[...component.buffers], [...(known?.buffers ?? [])]];
      for (const [i, buffer] of first.entries()) same.set(mine[i]!, buffer);
    }
    for (const buffer of buffers)
      if (buffer.area === "constants" && !same.has(buffer))
        Object.assign(buffer, { area: "arena", first: WHILE_LOADING, last: Infinity });
    return { same, own };
  }
}

function componentsOf(loads: readonly PendingLoad[]): Set<Component> {
  const of = new Map<Buffer, Component>();
  const all = new Set<Component>();
  for (const load of loads) {
    const written = constantsOf(load);
    const [first, ...others] = new Set(written.flatMap((buffer) => of.get(buffer) ?? []));
    const component: Component = first ?? { loads: [], buffers: new Set() };
    all.add(component);
    for (const other of others) {
      component.loads.push(...other.loads);
      for (const buffer of other.buffers) written.push(buffer);
      all.delete(other);
    }
    component.loads.push(load);
    for (const buffer of written) {
      component.buffers.add(buffer);
      of.set(buffer, component);
    }
  }
  return all;
}

const placesOf = ({ copies, calls }: PendingLoad) => [
  ...copies.map(({ to }) => to),
  ...calls.flatMap(({ args }) => args.filter((arg) => typeof arg === "object")),
];

const constantsOf = (load: PendingLoad): Buffer[] =>
  placesOf(load).flatMap(({ buffer }) => (buffer.area === "constants" ? [buffer] : []));

/** What is done where, but for the numbers that are copied. */
function keyOf({ loads, buffers }: Component): string {
  const names = new Map([...buffers].map((buffer, i) => [buffer, i]));
  const told = loads.map(({ copies, calls }) => [
    copies.map(({ to: { buffer, offset }, ...content }) => [
      names.get(buffer),
      offset,
      "numbers" in content ? content.numbers.byteLength : content,
    ]),
    calls.map(({ kernel, args }) => [
      kernel,
      args.map((arg) => (typeof arg === "object" ? [names.get(arg.buffer), arg.offset] : `${arg}`)),
    ]),
  ]);
  return JSON.stringify([told, [...buffers].map(({ bytes }) => bytes)]);
}

const numbersOf = ({ loads }: Component) =>
  loads.flatMap(({ copies }) => copies.flatMap((copy) => ("numbers" in copy ? [bytesIn(copy.numbers)] : [])));

function hasNumbersOf(a: Component, b: Component): boolean {
  const others = numbersOf(b);
  return numbersOf(a).every((bytes, i) => bytes.every((byte, at) => byte === others[i]![at]));
}
