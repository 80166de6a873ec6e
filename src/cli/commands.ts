// The commands, in the order of the help.

import { applyCommand } from "./apply";
import { benchCommand } from "./bench";
import { bundleCommand } from "./bundle";
import type { Command } from "./command";
import { deltaCommand } from "./delta";
import { evalCommand } from "./eval";
import { footprintCommand } from "./footprint";
import { inspectCommand } from "./inspect";
import { quantizeCommand } from "./quantize";
import { runCommand } from "./run";
import { tuneCommand } from "./tune";

export const commands: readonly Command[] = [
  quantizeCommand,
  tuneCommand,
  evalCommand,
  runCommand,
  inspectCommand,
  benchCommand,
  footprintCommand,
  bundleCommand,
  deltaCommand,
  applyCommand,
];
