// The models that nodes of examples/node-red share: opened once, closed with the last node, and never twice at a time.

import { expect, test } from "vitest";

const { Models } = await import(new URL("../../examples/node-red/models.js", import.meta.url).href);

const [cat, dog] = [Buffer.from("cat"), Buffer.from("dog")];

/** Models that are counted while they open and close. */
function counted() {
  const log: string[] = [];
  const models = new Models(async ({ bytes, threads }: { bytes: Buffer; threads: number }) => {
    log.push(`open ${bytes} ${threads}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (bytes.equals(Buffer.from("bad"))) throw new Error("damaged");
    return {
      async dispose() {
        log.push(`closing ${bytes}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        log.push(`closed ${bytes}`);
      },
    };
  });
  return { log, models };
}

test("the same bytes and settings are one model, others are not", async () => {
  const { log, models } = counted();
  const held = await Promise.all([
    models.acquire(cat, { threads: 1 }),
    models.acquire(Buffer.from("cat"), { threads: 1 }),
    models.acquire(cat, { threads: 2 }),
    models.acquire(dog, { threads: 1 }),
  ]);
  expect(log).toEqual(["open cat 1", "open cat 2", "open dog 1"]);
  expect(held[0].model).toBe(held[1].model);
  expect(new Set(held.map(({ model }) => model)).size).toBe(3);
  expect([models.count, models.references]).toEqual([3, 4]);
  await held[0].release();
  expect(log.length).toBe(3);
  await held[0].release();
  await held[1].release();
  expect(log.slice(3)).toEqual(["closing cat", "closed cat"]);
  expect([models.count, models.references]).toEqual([2, 2]);
});

test("a model that was let go of while it opened is closed", async () => {
  const { log, models } = counted();
  const opening = models.acquire(cat, { threads: 1 });
  await opening.then(({ release }: { release(): Promise<void> }) => release());
  expect(log).toEqual(["open cat 1", "closing cat", "closed cat"]);
  expect(models.count).toBe(0);
});

test("it is opened again once the one before is closed", async () => {
  const { log, models } = counted();
  const { release } = await models.acquire(cat, { threads: 1 });
  const closing = release();
  const again = await models.acquire(cat, { threads: 1 });
  await closing;
  expect(log).toEqual(["open cat 1", "closing cat", "closed cat", "open cat 1"]);
  expect([models.count, models.references]).toEqual([1, 1]);
  await again.release();
});

test("what cannot be opened rejects for all who wait, and is tried anew", async () => {
  const { log, models } = counted();
  const bad = Buffer.from("bad");
  const results = await Promise.allSettled([models.acquire(bad, {}), models.acquire(bad, {})]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(models.count).toBe(0);
  await expect(models.acquire(bad, {})).rejects.toThrow("damaged");
  expect(log.filter((line) => line.startsWith("open")).length).toBe(2);
});
