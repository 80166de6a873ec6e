// Pace: turns within a step, rests, and the same bytes.

import { expect, test } from "vitest";
import { readArtifact, save, tune } from "../../src/index";
import { calibrated, heldOut, quick } from "../learner/fixtures";

const { graph } = readArtifact(calibrated);

test("a paced run has turns between kernels, and comes to the same bytes", async () => {
  const plain = await tune(graph, { ...quick, pace: undefined, validation: heldOut });
  let [turns, steps] = [0, 0];
  let isDone = false;
  const count = () => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const paced = await tune(graph, {
    ...quick,
    validation: heldOut,
    pace: { blockMs: 0.01 },
    onStep: () => steps++,
  });
  isDone = true;
  expect(save(paced.graph)).toEqual(save(plain.graph));
  expect(paced.summary).toEqual(plain.summary);
  expect(turns).toBeGreaterThan(5 * steps);
});

test("a rest ends where it is aborted", async () => {
  const signal = AbortSignal.timeout(300);
  // A rest after the first turn would take hours.
  const resting = tune(graph, { ...quick, signal, pace: { blockMs: 0.01, share: 1e-9 } });
  await expect(resting).rejects.toMatchObject({ name: "TimeoutError" });
});

test.each([
  [{ blockMs: 0 }, "pace.blockMs"],
  [{ share: 2 }, "pace.share"],
  [{ block: 1 }, 'pace: no option "block"'],
])("%o is refused", async (pace, message) => {
  await expect(tune(graph, { ...quick, pace: pace as never })).rejects.toThrow(message);
});
