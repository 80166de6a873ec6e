// Imports run-sizes.ts, which plans and runs models whose sizes only a run knows.

import { provideRunSizes } from "../planner";

export async function importRunSizes(): Promise<void> {
  provideRunSizes((await import("./run-sizes")).runSizes);
}
