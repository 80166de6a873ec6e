// The JavaScript heap of commands that run a model for long.

import { nodeModule } from "../node-module";

/**
 * Keeps V8 from enlarging the space of new objects, which it does for a program that makes many while it starts: 2 MB instead of up to 16,
 * or 32 on Node 24. Steps of a model make few objects.
 */
export function keepNewSpaceSmall(): void {
  nodeModule("node:v8")?.setFlagsFromString("--semi-space-growth-factor=1");
}
