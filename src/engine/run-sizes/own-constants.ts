// Plans that have constants of their own load them before they run in place of another.

import { OctetteError } from "../../errors";
import { bytesIn, type TypedArray } from "../../graph/tensor";
import type { Plan } from "../plan";
import type { Session } from "../session";

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
    if (!elements)
      throw new OctetteError("sizes need other constants than those that were loaded", {
        code: "limit",
        where: `constant "${name}"`,
        hint: "Load the model for these sizes: load(bytes, { maxima: { … } })",
      });
    loader.put(name, bytesIn(elements));
  }
}
