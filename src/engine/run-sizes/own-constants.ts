// Constants that only a run needs: plans that have constants of their own load them before they run in place of another, and so do models
// of graphs within a graph that are made then.

import { OctetteError } from "../../errors";
import { graphsIn } from "../../graph/bodies";
import type { Graph } from "../../graph/graph";
import { bytesIn, type Constant, type TypedArray } from "../../graph/tensor";
import type { ConstantSink } from "../loader";
import type { Plan } from "../plan";
import type { Session } from "../session";

/** Takes constants of a graph within a graph, and of those within it, for a model that only a run makes. */
export class KeptConstants implements ConstantSink {
  readonly #bytes = new Map<string, Uint8Array | undefined>();

  constructor(body: Graph<Constant>) {
    for (const { constants } of graphsIn(body))
      for (const [name, { data }] of constants) if (!data) this.#bytes.set(name, undefined);
  }

  get missing(): readonly string[] {
    return [...this.#bytes].flatMap(([name, bytes]) => (bytes ? [] : [name]));
  }

  placeOf(): undefined {
    return undefined;
  }

  put(name: string, bytes: Uint8Array): void {
    if (this.#bytes.has(name)) this.#bytes.set(name, bytes);
  }

  /** Gives them to the model. */
  load(loader: ConstantSink): void {
    for (const [name, bytes] of this.#bytes) if (bytes) loader.put(name, bytes);
  }
}

/** Constants of sessions whose plan is open: the first plan of the whole graph loads them, and lets go of them. */
const kept = new WeakMap<Session, Map<string, Uint8Array>>();

/** Takes the constants of a session, and keeps them until there is a plan of the whole graph where its plan is `open`. */
export function sinkOf(session: Session): ConstantSink {
  const { loader, plan } = session;
  if (!plan.open) return loader;
  const all = kept.get(session) ?? new Map<string, Uint8Array>();
  kept.set(session, all);
  return {
    missing: loader.missing,
    placeOf: () => undefined,
    put(name, bytes) {
      all.set(name, bytes);
      loader.put(name, bytes);
    },
  };
}

/** Goes on with a plan of the same model, whose own constants are loaded. */
export function goOn(
  session: Session,
  plan: Plan,
  elementsOf: (constant: string) => TypedArray | undefined,
): void {
  const isOther = plan.loads !== session.plan.loads;
  session.plan = plan;
  const loaders = [
    ...(isOther ? [session.loader] : []),
    ...(plan.own.length > 0 ? [session.loaderOf(plan.own)] : []),
  ];
  for (const [loader, name] of loaders.flatMap((one) => one.missing.map((name) => [one, name] as const))) {
    const elements = elementsOf(name);
    const inMemory = () => (isOther ? undefined : rawIn(session, name));
    const bytes = elements ? bytesIn(elements) : (kept.get(session)?.get(name) ?? inMemory());
    if (!bytes)
      throw new OctetteError("sizes need other constants than those that were loaded", {
        code: "limit",
        where: `constant "${name}"`,
        hint: "Load the model for these sizes: load(bytes, { maxima: { … } })",
      });
    loader.put(name, bytes);
  }
  if (!plan.open) kept.delete(session);
}

/** Bytes of a constant that the plan's shared constants hold as they are. */
function rawIn({ plan, buffer }: Session, name: string): Uint8Array | undefined {
  const copies = plan.loads.flatMap(({ copies, calls }) => (calls.length === 0 ? copies : []));
  for (const copy of copies)
    if ("constant" in copy && copy.constant === name && copy.from === undefined && !copy.isFlipped)
      return new Uint8Array(buffer, copy.at, copy.bytes);
  return undefined;
}
