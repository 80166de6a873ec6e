// The page of a language model: its scripts are all there, and in Chromium its worker generates what Node generates.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { octette } from "../cli/spawn";
import { dataFolder } from "../formats/fixtures";
import { artifactOfFolder } from "../text/artifact-of";

const kjv = join(dataFolder ?? "", "lm/kjv");
const launch = inject("chromium");

describe.skipIf(dataFolder === undefined || !existsSync(kjv))("octette bundle of a language model", () => {
  let folder: string;
  let page: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "octette-page-"));
    page = join(folder, "page");
    await writeFile(join(folder, "kjv.octette"), await artifactOfFolder(kjv));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("writes every script that another imports, and nothing of Node", async () => {
    const { code, stdout, stderr } = await octette([
      "bundle",
      join(folder, "kjv.octette"),
      "-o",
      page,
      "--json",
    ]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const files = readdirSync(page);
    expect(
      JSON.parse(stdout)
        .files.map(({ file }: { file: string }) => file)
        .sort(),
    ).toEqual(files.sort());
    expect(files).toEqual(
      expect.arrayContaining(["index.html", "page.js", "worker.js", "text.js", "kjv.octette"]),
    );
    for (const file of files.filter((name) => name.endsWith(".js"))) {
      const script = readFileSync(join(page, file), "utf8");
      for (const [, name] of script.matchAll(/(?:from|import\(|import) ?"\.\/([^"]+)"/g))
        expect(files).toContain(name);
    }
    expect(readFileSync(join(page, "node-module.js"), "utf8")).not.toContain("getBuiltinModule");
  });

  test("refuses what is no artifact, and options of other models", async () => {
    const other = join(folder, "other");
    expect((await octette(["bundle", kjv, "-o", other])).stderr).toMatch(/is no artifact.*octette quantize/s);
    const args = ["bundle", join(folder, "kjv.octette"), "-o", other, "--class", "baseline"];
    expect((await octette(args)).stderr).toMatch(/are not for language models/);
  });

  test.skipIf(!launch)("generates in a page, under the policy that it states", async () => {
    const types: Record<string, string> = { html: "text/html", js: "text/javascript" };
    const server: Server = createServer(({ url = "/" }, response) => {
      const file = join(page, decodeURIComponent(url));
      if (!existsSync(file)) return void response.writeHead(404).end();
      const type = types[url.split(".").at(-1)!] ?? "application/octet-stream";
      response.writeHead(200, { "content-type": type }).end(readFileSync(file));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const browser = await chromium.launch(launch);
    try {
      const tab = await browser.newPage();
      const complaints: string[] = [];
      tab.on("pageerror", (error) => complaints.push(error.message));
      await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/index.html`);
      const state = tab.locator("#state");
      await state.filter({ hasText: "kernels" }).waitFor({ timeout: 30_000 });
      await tab.fill("[name=prompt]", "In the beginning");
      await tab.fill("[name=temperature]", "0");
      await tab.fill("[name=maxTokens]", "12");
      await tab.click("button.main");
      await state.filter({ hasText: "12 tokens" }).waitFor({ timeout: 30_000 });
      expect(await tab.locator("#answer").textContent()).toBe(
        "In the beginning of the end of the days of the end of the days",
      );
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
    }
  });
});
