// Checkpoints on a disk. The last one keeps the name, the one before is NAME.previous, and whenever a process is
// killed or the power fails, one of them is whole:
//
//   NAME       1  1  1  ·  2        ·: for an instant there is only the one before
//   temporary     2  2  2           2 is on the disk before 1 is moved
//   .previous  0  0  0  1  1        a damaged 1 is not moved: it would take the place of a whole 0

import { FormatError } from "../../errors";
import { fileSystem, removeLeftovers, replaceWhole } from "../../files/write-file";
import { type CheckpointState, readCheckpoint, writeCheckpoint } from "./checkpoint";

/** Where the checkpoint before lies. */
export const previousOf = (path: string): string => `${path}.previous`;

/** A checkpoint that was read from a file. */
export interface LoadedCheckpoint {
  readonly state: CheckpointState;
  /** Why it is not the last one that was saved. */
  readonly note?: string;
}

/** Writes a state to a file and keeps the one before beside it. */
export async function saveCheckpoint(path: string, state: CheckpointState): Promise<void> {
  await replaceWhole(path, writeCheckpoint(state), async () => {
    const { rename } = fileSystem();
    if ("state" in (await attempt(path))) await rename(path, previousOf(path));
  });
}

/** The newest whole checkpoint at a path; undefined where none was saved. Throws FormatError where there are some, but none is whole. */
export async function loadCheckpoint(path: string): Promise<LoadedCheckpoint | undefined> {
  const last = await attempt(path);
  if ("state" in last) return last;
  const before = await attempt(previousOf(path));
  if ("state" in before)
    return { ...before, note: `${last.problem ?? `${path}: it is missing`}; ${previousOf(path)} is used` };
  const problems = [last.problem, before.problem].filter((problem) => problem !== undefined);
  if (problems.length === 0) return undefined;
  throw new FormatError("no intact checkpoint", {
    where: path,
    got: problems.join("; "),
    hint: "Remove what is there to begin anew",
  });
}

/** Removes a checkpoint and the one before, which goes first: killed in between, a run goes on from the last. */
export async function removeCheckpoint(path: string): Promise<void> {
  const { rm } = fileSystem();
  for (const file of [previousOf(path), path]) await rm(file, { force: true });
  await removeLeftovers(path);
}

/** A checkpoint, or what is wrong with it; without either there is none. */
async function attempt(path: string): Promise<{ state: CheckpointState } | { problem?: string }> {
  const { readFile } = fileSystem();
  try {
    return { state: readCheckpoint(await readFile(path), path) };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return code === "ENOENT" ? {} : { problem: message };
  }
}
