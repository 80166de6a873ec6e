// The commands, in the order of the help. Each is loaded when it is asked for: what it imports takes no memory in the others.

import type { Command } from "./command";

const commands = new Map<string, () => Promise<Command>>([
  ["quantize", async () => (await import("./quantize")).quantizeCommand],
  ["tune", async () => (await import("./tune")).tuneCommand],
  ["eval", async () => (await import("./eval")).evalCommand],
  ["run", async () => (await import("./run")).runCommand],
  ["generate", async () => (await import("./generate")).generateCommand],
  ["chat", async () => (await import("./chat")).chatCommand],
  ["perplexity", async () => (await import("./perplexity")).perplexityCommand],
  ["embed", async () => (await import("./embed")).embedCommand],
  ["inspect", async () => (await import("./inspect")).inspectCommand],
  ["bench", async () => (await import("./bench")).benchCommand],
  ["footprint", async () => (await import("./footprint")).footprintCommand],
  ["export", async () => (await import("./export")).exportCommand],
  ["bundle", async () => (await import("./bundle")).bundleCommand],
  ["delta", async () => (await import("./delta")).deltaCommand],
  ["apply", async () => (await import("./apply")).applyCommand],
]);

export const commandNames: readonly string[] = [...commands.keys()];

/** A command by its name. */
export const loadCommand = async (name: string): Promise<Command | undefined> => commands.get(name)?.();

/** All of them. */
export const loadCommands = (): Promise<Command[]> =>
  Promise.all([...commands.values()].map((load) => load()));
