// What the toolkit asks of every op, beside what running it needs: collected from the ops' own files (scripts/ops.js).

import { plain } from "../../build/groups/plain";
import { traits } from "../../build/groups/traits";
import { ofCodes, registry } from "./index";
import type { ToolkitOps } from "./infer";

/** Ops with their traits, as passes, quantization and training take them. */
export const toolkitOps: ToolkitOps = Object.fromEntries(
  Object.entries(registry).map(([name, op]) => [
    name,
    { ...op, ...ofCodes[name], ...traits[name as keyof typeof traits], plain: plain[name] },
  ]),
);
