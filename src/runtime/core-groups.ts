// The ops and kernels of octette/runtime, which octette/text runs on, too: the core and every engine class; other groups are imported when a
// graph names one of their ops. One engine, so that a page with both imports and compiles everything once.

import { core } from "../../build/groups/core";
import { later } from "../../build/groups/later";
import { baseline, common, extmul, relaxed } from "../engine/core-inlined";
import { OpGroups } from "../engine/op-groups";

export const groups = /* @__PURE__ */ new OpGroups(core, { common, baseline, extmul, relaxed }, later);
