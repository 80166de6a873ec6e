// The import of what models need whose sizes only a run knows.

import { provideRunSizes } from "../planner";

export async function importRunSizes(): Promise<void> {
  provideRunSizes((await import("./run-sizes")).runSizes);
}
