// workerd compiles no wasm from bytes: modules come compiled.

import { createRuntime } from "octette/create-runtime";
import { registry } from "octette/ops";
import baseline from "octette/wasm/baseline.wasm";
import common from "octette/wasm/common.wasm";
import math from "octette/wasm/math.wasm";
import { outputsOf } from "./answer.js";

const { load } = createRuntime(registry, { common, baseline, math });

export default {
  async fetch(request) {
    try {
      return Response.json(await outputsOf(load, await request.arrayBuffer(), {}));
    } catch (error) {
      return Response.json({ error: `${error.name}: ${error.message}` });
    }
  },
};
