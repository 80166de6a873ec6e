// Files are whole or not there.

import { execFileSync } from "node:child_process";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkWritable, makeFolder, writeFileWhole } from "../../src/files/write-file";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-write-"));
});
afterEach(() => rm(folder, { recursive: true }));

const bytes = Uint8Array.of(1, 2, 3);

test("replaces a file and leaves nothing else", async () => {
  const path = join(folder, "a.octette");
  await writeFile(path, "old");
  await writeFileWhole(path, bytes);
  expect(new Uint8Array(await readFile(path))).toEqual(bytes);
  expect(await readdir(folder)).toEqual(["a.octette"]);
});

test("a symbolic link is kept, and what it points to is replaced or made", async () => {
  const [real, inner, link] = ["sub/real", "inner", "link"].map((name) => join(folder, name));
  await mkdir(join(folder, "sub"));
  await symlink("sub/real", inner!);
  await symlink(inner!, link!);
  for (const content of [bytes, Uint8Array.of(4)]) {
    await checkWritable(link!);
    await writeFileWhole(link!, content);
    expect(new Uint8Array(await readFile(real!))).toEqual(content);
    expect(await readlink(link!)).toBe(inner);
  }
  expect([(await readdir(folder)).sort(), await readdir(join(folder, "sub"))]).toEqual([
    ["inner", "link", "sub"],
    ["real"],
  ]);
});

test("links in a circle are named", async () => {
  await symlink("b", join(folder, "a"));
  await symlink("a", join(folder, "b"));
  await expect(writeFileWhole(join(folder, "a"), bytes)).rejects.toThrow(
    /a: cannot be written: its links go in a circle/,
  );
});

test("a signal before the end leaves the old file", async () => {
  const path = join(folder, "a.octette");
  await writeFile(path, "old");
  const reason = new Error("stop");
  await expect(writeFileWhole(path, bytes, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["a.octette"]);
});

test("what cannot be written is named, before work and at its end", async () => {
  const missing = join(folder, "no", "a.octette");
  await expect(checkWritable(missing)).rejects.toThrow(/no such folder.*Make/);
  await expect(checkWritable(folder)).rejects.toThrow(/is a folder/);
  await expect(writeFileWhole(missing, bytes)).rejects.toThrow(`${missing}: cannot be written`);
  await expect(writeFileWhole(folder, bytes)).rejects.toThrow("cannot be written");
  await expect(writeFileWhole(missing, bytes)).rejects.toThrow(/no such file or directory$/);
  expect(await readdir(folder)).toEqual([]);
});

test.skipIf(process.platform === "win32" || process.getuid?.() === 0)(
  "a folder without the right to write is named before work",
  async () => {
    await chmod(folder, 0o555);
    await expect(checkWritable(join(folder, "a"))).rejects.toThrow(/cannot be written: EACCES/);
  },
);

test.skipIf(process.platform === "win32")("a pipe or device is refused, not replaced", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  await symlink(pipe, join(folder, "link"));
  for (const path of [pipe, join(folder, "link")]) {
    await expect(checkWritable(path)).rejects.toThrow(/is a device, a pipe or a socket/);
    await expect(writeFileWhole(path, bytes)).rejects.toThrow(/is a device, a pipe or a socket/);
  }
  expect((await lstat(pipe)).isFIFO()).toBe(true);
  expect((await readdir(folder)).sort()).toEqual(["link", "pipe"]);
});

test("folders are made with those above them; a file in the way is named", async () => {
  const deep = join(folder, "a", "b", "c");
  await makeFolder(deep);
  await makeFolder(deep);
  expect(await readdir(join(folder, "a", "b"))).toEqual(["c"]);
  await writeFile(join(folder, "file"), "");
  await expect(makeFolder(join(folder, "file"))).rejects.toThrow(/file: is not a folder/);
  await expect(makeFolder(join(folder, "file", "below"))).rejects.toThrow(/file: is not a folder/);
});

test.runIf(process.platform === "linux")("a file system that takes no folders ends the work", async () => {
  await expect(makeFolder("/proc/octette")).rejects.toThrow(/\/proc\/octette: cannot be written/);
});
