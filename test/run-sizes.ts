// What models need whose sizes only a run knows is here for all tests, as it is for the toolkit. test/package/op-sets.test.ts runs
// the package, which imports it when a model needs it.

import { provideRunSizes } from "../src/engine/planner";
import { runSizes } from "../src/engine/run-sizes/run-sizes";

provideRunSizes(runSizes);
