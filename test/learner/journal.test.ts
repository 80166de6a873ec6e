// The journal of examples/service: whatever a crash cuts off, the records before it are there and the next ones follow.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const { Journal } = await import(new URL("../../examples/service/journal.js", import.meta.url).href);

interface Item {
  id: string;
  label: string;
  elements: Uint8Array;
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-journal-"));
});
afterEach(() => rm(folder, { recursive: true }));

const item = (i: number): Item => ({
  id: `${i}`,
  label: `class ${i % 3}`,
  elements: new Uint8Array(i).fill(i),
});

async function open(from = 0) {
  const ids: string[] = [];
  const journal = await Journal.open(folder, from, ({ id, label, elements }: Item) => {
    expect([label, [...elements]]).toEqual([item(Number(id)).label, [...item(Number(id)).elements]]);
    ids.push(id);
  });
  return { journal, ids };
}

test("records come back in order, however many are written at once", async () => {
  const { journal } = await open();
  await Promise.all([0, 1, 2, 3, 4].map((i) => journal.append(item(i))));
  await journal.close();
  expect((await open()).ids).toEqual(["0", "1", "2", "3", "4"]);
});

test("cut at any byte, the whole records before are there, and new ones follow them", async () => {
  const first = await open();
  for (let i = 0; i < 4; i++) await first.journal.append(item(i));
  await first.journal.close();
  const path = join(folder, "samples.0.log");
  const bytes = await readFile(path);
  for (let cut = 0; cut < bytes.length; cut++) {
    await writeFile(path, bytes.subarray(0, cut));
    const { journal, ids } = await open();
    expect(ids).toEqual(["0", "1", "2", "3"].slice(0, ids.length));
    await journal.append(item(9));
    await journal.close();
    const again = await open();
    await again.journal.close();
    expect(again.ids).toEqual([...ids, "9"]);
  }
});

test("a changed byte ends the records before it", async () => {
  const { journal } = await open();
  for (let i = 0; i < 3; i++) await journal.append(item(i));
  await journal.close();
  const path = join(folder, "samples.0.log");
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(path, bytes);
  expect((await open()).ids).toEqual(["0", "1"]);
});

test("files before a snapshot are forgotten, also where a crash kept them", async () => {
  const { journal } = await open();
  await journal.append(item(0));
  const before = await journal.turn();
  await journal.append(item(1));
  await journal.close();
  // Not forgotten yet: all of it is read where there is no snapshot.
  expect((await open()).ids).toEqual(["0", "1"]);
  const { ids } = await open(before);
  expect(ids).toEqual(["1"]);
  await expect(readFile(join(folder, "samples.0.log"))).rejects.toThrow("ENOENT");
});
