// Dimensions that grow too long to tell: what a run computes all the same.

import { OctetteError } from "../errors";

/** What is made of dimensions; undefined where they pass a limit on the way. */
export function withinLimits<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof OctetteError && error.code === "limit") return undefined;
    throw error;
  }
}
