// The commands, in the order of the help.

import { applyCommand } from "./apply";
import { benchCommand } from "./bench";
import { bundleCommand } from "./bundle";
import { chatCommand } from "./chat";
import type { Command } from "./command";
import { deltaCommand } from "./delta";
import { embedCommand } from "./embed";
import { evalCommand } from "./eval";
import { exportCommand } from "./export";
import { footprintCommand } from "./footprint";
import { generateCommand } from "./generate";
import { inspectCommand } from "./inspect";
import { perplexityCommand } from "./perplexity";
import { quantizeCommand } from "./quantize";
import { runCommand } from "./run";
import { tuneCommand } from "./tune";

export const commands: readonly Command[] = [
  quantizeCommand,
  tuneCommand,
  evalCommand,
  runCommand,
  generateCommand,
  chatCommand,
  perplexityCommand,
  embedCommand,
  inspectCommand,
  benchCommand,
  footprintCommand,
  exportCommand,
  bundleCommand,
  deltaCommand,
  applyCommand,
];
