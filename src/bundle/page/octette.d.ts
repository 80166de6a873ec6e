// The script of the model that the page lies beside.

import type { Model } from "../../engine/model";
import type { LoadOptions } from "../../runtime/runtime";

export declare function load(options?: LoadOptions): Promise<Model>;
