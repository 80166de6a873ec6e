// Learning in a page: samples that are drawn and kept are learned in a worker, and what is downloaded has the bytes that the command line makes
// of the same samples.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNpz } from "../../src/formats/npz";
import { applyDelta, readArtifact } from "../../src/index";
import { networkGraph } from "../check-model";
import { octette } from "../cli/spawn";
import { digitsGraph, draw, drawn, launch, Pages, seriousIn } from "./pages";

const folder = mkdtempSync(join(tmpdir(), "octette-learn-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Presses a button and keeps what it downloads; its path. */
async function downloaded(page: Page, name: RegExp): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name }).click(),
  ]);
  const path = join(folder, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

const SHIFTS = [
  [0, 0],
  [0.04, 0.02],
  [-0.05, 0],
  [0.02, -0.04],
  [-0.02, 0.05],
] as const;

describe.skipIf(!launch)("learning in a page, in Chromium", () => {
  let pages: Pages;
  beforeAll(async () => {
    pages = await Pages.start();
  });
  afterAll(() => pages?.stop());

  test("five samples of each digit are learned to the bytes of octette tune", async () => {
    const at = await pages.bundled(await digitsGraph());
    const { page, complaints } = await pages.open(at);
    const requests: string[] = [];
    page.on("request", (request) => requests.push(new URL(request.url()).pathname.split("/").at(-1)!));
    await page.locator("summary").first().click();
    await page.getByLabel("Centre what is drawn").uncheck();
    for (const [digit, lines] of Object.entries(drawn)) {
      await page.getByLabel("It is").selectOption(digit);
      for (const shift of SHIFTS) {
        await draw(page, lines, shift);
        await page.getByRole("button", { name: "Keep this sample" }).click();
      }
    }
    await page.getByText("50 samples of 10 classes").waitFor();
    expect(requests).toEqual([]);
    await page.getByText("How it learns").click();
    await page.getByLabel("Epochs").fill("6");
    await page.getByRole("button", { name: "Learn" }).click();
    await page.getByText(/^Learned\. Loss [\d.]+ → [\d.]+\./).waitFor({ timeout: 60_000 });
    expect(requests).toContain("learn.js");
    const curve = await page.locator("#learning canvas.wave").getAttribute("aria-label");
    expect(curve).toMatch(/^Loss over 30 steps, from [\d.]+ to [\d.]+$/);
    const [before, after] = (await page.locator("#learning table td:first-of-type").allTextContents()).map(
      Number.parseFloat,
    );
    expect(after!).toBeGreaterThan(before!);
    // Both models answer from here on.
    await draw(page, drawn[7]!);
    await page.locator(".whose").getByText("after").waitFor();
    expect(await seriousIn(page)).toEqual([]);

    const samples = await downloaded(page, /Download the samples/);
    const arrays = new Map(readNpz(readFileSync(samples)));
    expect(arrays.get("labels")!.data).toEqual(Int32Array.from({ length: 50 }, (_, i) => Math.floor(i / 5)));
    expect(arrays.get("image")).toMatchObject({ dtype: "u8", shape: [50, 1, 8, 8] });
    const tuned = readFileSync(await downloaded(page, /-tuned\.octette/));
    const delta = readFileSync(await downloaded(page, /\.delta/));
    const base = join(at, "model.octette");
    expect(Buffer.from(applyDelta(readFileSync(base), delta)).equals(tuned)).toBe(true);

    const command = (await page.locator("pre").textContent())!;
    const args = command.split(" ").slice(1);
    const mine = join(folder, "mine.octette");
    const given = args.map(
      (arg) => ({ "model.octette": base, "samples.npz": samples, "model-tuned.octette": mine })[arg] ?? arg,
    );
    const { code, stderr } = await octette(given);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(readFileSync(mine).equals(tuned)).toBe(true);
    expect(readArtifact(tuned).selfTest).toBeDefined();
    expect(complaints).toEqual([]);
  }, 240_000);

  test("learning is stopped, and a sample is taken out again", async () => {
    const at = await pages.bundled(await digitsGraph());
    const { page, complaints } = await pages.open(at);
    for (const digit of ["1", "7"]) {
      await draw(page, drawn[digit]!);
      await page.getByLabel("It is").selectOption(digit);
      for (let i = 0; i < 3; i++) await page.getByRole("button", { name: "Keep this sample" }).click();
    }
    await page.getByRole("button", { name: "Remove this 7" }).first().click();
    await page.getByText("5 samples of 2 classes").waitFor();
    await page.getByText("How it learns").click();
    await page.getByLabel("Epochs").fill("100000");
    await page.getByRole("button", { name: "Learn" }).click();
    await page.getByText("Learning, 100000 steps.").waitFor({ timeout: 30_000 });
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped. The model is as it was.").waitFor();
    expect(complaints).toEqual([]);
  });

  test("a model that cannot learn says why, and carries nothing for it", async () => {
    const at = await pages.bundled(networkGraph({ quantized: false }));
    const { page, complaints } = await pages.open(at);
    await page.getByText("It is a float model: octette quantize makes one that learns.").waitFor();
    expect(await seriousIn(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
