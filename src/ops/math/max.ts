// Max: the elementwise largest of its inputs, NaN where one is.

import { maxDims } from "../../graph/symbols";
import type { Traits } from "../op";
import { extremum } from "./extremum";

export const max = extremum("maximum", maxDims);

export const maxTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
