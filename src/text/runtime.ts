// The ops and kernels that language models run on: those of octette/runtime, with op groups imported when a graph names their ops.

import { core } from "../../build/groups/core";
import { later } from "../../build/groups/later";
import { baseline, common, extmul, relaxed } from "../engine/core-inlined";
import { OpGroups } from "../engine/op-groups";
import { Engine } from "../engine/wasm";

export const groups = /* @__PURE__ */ new OpGroups(core, { common, baseline, extmul, relaxed }, later);
export const engine = /* @__PURE__ */ new Engine(groups.wasm);
