// What plans and runs models whose sizes only a run knows. A runtime loads it for the first model that needs it.

import { dimFunctions } from "../../graph/dim-functions";
import type { RunSizes } from "../planner";
import { Acts, draftsOf } from "./acts";
import { goOn } from "./own-constants";
import { GrowingRoom } from "./room";
import { sizedPlannerOf } from "./sized-planner";

export const runSizes: RunSizes = {
  dimFunctions,
  plannerOf: sizedPlannerOf,
  draftsOf,
  Acts,
  GrowingRoom,
  goOn,
};
