// Learning in a page: samples that are drawn and kept are learned in a worker, and what is downloaded has the bytes that the command line makes
// of the same samples.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { learningOf } from "../../src/bundle/learning";
import { readNpz } from "../../src/formats/npz";
import type { Graph } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { applyDelta, createDataset, quantize, readArtifact, save, tune } from "../../src/index";
import { convGraph, networkGraph } from "../check-model";
import { octette } from "../cli/spawn";
import { GraphBuilder } from "../graph-builder";
import { digitsGraph, draw, drawn, drop, launch, Pages, pngOf, seriousIn } from "./pages";

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
] as const;

/** Rows of three numbers, whose class is whether the first is positive, and an untrained network for them. */
const ROWS = Array.from({ length: 10 }, (_, i) => [
  (i % 2 ? 1 : -1) * (0.5 + i / 20),
  ((i * 7) % 10) / 5 - 1,
  ((i * 3) % 10) / 5 - 1,
]);
const LABELS = ROWS.map(([first]) => +(first! > 0));

function rowsGraph(name = "row"): Graph {
  const b = new GraphBuilder(3);
  const linear = (x: string, k: number, n: number, y: string) =>
    b.node("Linear", [x, b.floats(`w_${y}`, [n, k], 0.7), b.floats(`b_${y}`, [n], 0.2)], y);
  const hidden = b.node("Relu", [linear(b.input(name, ["batch", 3]), 3, 8, "h")], "r");
  linear(hidden, 8, 2, "y");
  return { ...b.build("y"), classes: ["below", "above"] };
}

const rowsArray = () => tensor("f32", [ROWS.length, 3], ROWS.flat());

const int8Rows = async () => {
  const graph = rowsGraph();
  const calibration = createDataset({ row: rowsArray() }, graph.inputs).batches(5);
  return (await quantize(graph, { calibration })).graph;
};

/** Pastes the rows and keeps each with its class. */
async function keepRows(page: Page): Promise<void> {
  await page.locator("textarea").fill(ROWS.map((row) => row.join()).join("\n"));
  for (const label of LABELS) {
    await page.getByLabel("It is").selectOption({ index: label });
    await page.getByRole("button", { name: "Keep this sample" }).click();
    await page.getByRole("button", { name: "Next" }).click();
  }
  await page.getByText("10 samples of 2 classes").waitFor();
}

test("an input named as the labels of downloaded samples is refused", () => {
  expect(learningOf(rowsGraph())).toMatchObject({ hasRunSizes: false });
  expect(learningOf(rowsGraph("labels"))).toBe(
    'Its input "labels" has the name of the labels in a file of samples.',
  );
});

describe.skipIf(!launch)("learning in a page, in Chromium", () => {
  let pages: Pages;
  let digits: string;
  let rows: string;
  beforeAll(async () => {
    const [started, digitsOf, rowsOf] = await Promise.all([Pages.start(), digitsGraph(), int8Rows()]);
    pages = started;
    [digits, rows] = await Promise.all([pages.bundled(digitsOf), pages.bundled(rowsOf)]);
  }, 60_000);
  afterAll(() => pages?.stop());

  test("two samples of each digit are learned to the bytes of octette tune", async () => {
    const { page, complaints } = await pages.open(digits);
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
    await page.getByText("20 samples of 10 classes").waitFor();
    const samples = await downloaded(page, /Download the samples/);
    expect(requests).toEqual([]);
    await page.getByText("How it learns").click();
    await page.getByLabel("Epochs").fill("10");
    await page.getByRole("button", { name: "Learn" }).click();
    await page.getByText(/^Learned\. Loss [\d.]+ → [\d.]+\./).waitFor({ timeout: 60_000 });
    expect(requests).toContain("learn.js");
    const curve = await page.locator("#learning canvas.wave").getAttribute("aria-label");
    expect(curve).toMatch(/^Loss over 20 steps, from [\d.]+ to [\d.]+$/);
    const [before, after] = (await page.locator("#learning table td:first-of-type").allTextContents()).map(
      Number.parseFloat,
    );
    expect(after!).toBeGreaterThan(before!);
    // Both models answer from here on.
    await draw(page, drawn[7]!);
    await page.locator(".whose").getByText("after").waitFor();
    expect(await seriousIn(page)).toEqual([]);

    const arrays = new Map(readNpz(readFileSync(samples)));
    expect(arrays.get("labels")!.data).toEqual(Int32Array.from({ length: 20 }, (_, i) => Math.floor(i / 2)));
    expect(arrays.get("image")).toMatchObject({ dtype: "u8", shape: [20, 1, 8, 8] });
    const tuned = readFileSync(await downloaded(page, /-tuned\.octette/));
    const delta = readFileSync(await downloaded(page, /\.delta/));
    const base = join(digits, "model.octette");
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

  for (const [kind, graphOf] of [
    ["int8", int8Rows],
    ["float", async () => rowsGraph()],
  ] as const)
    test(`rows of numbers are learned by a model of ${kind}, to the bytes of tune`, async () => {
      const graph = await graphOf();
      const { page, complaints } = await pages.open(kind === "int8" ? rows : await pages.bundled(graph));
      await keepRows(page);
      await page.getByText("How it learns").click();
      await page.getByLabel("Learning rate").fill("0.05");
      await page.getByRole("button", { name: "Learn" }).click();
      await page.getByText(/^Learned\. Loss/).waitFor({ timeout: 60_000 });
      const scores = await page.locator("#learning table td:first-of-type").allTextContents();
      expect(scores.at(-1)).toBe("10 of 10");
      expect(await page.locator("pre").textContent()).toContain(
        kind === "float" ? 'bits: "float"' : "octette tune",
      );
      await page.locator(".whose").first().waitFor();
      for (const width of [390, 1100]) {
        await page.setViewportSize({ width, height: 800 });
        const name = await page.getByRole("rowheader", { name: "above" }).boundingBox();
        expect(name!.height).toBeLessThan(name!.width);
      }
      const tuned = readFileSync(await downloaded(page, /-tuned\.octette/));
      const labels = tensor("i32", [LABELS.length], LABELS);
      const data = createDataset({ row: rowsArray() }, graph.inputs, { labels });
      const options = { train: "all", epochs: 20, batch: 8, lr: 0.05, validation: 0.2, seed: 0 } as const;
      const mine = await tune(readArtifact(save(graph)).graph, {
        ...options,
        data,
        ...(kind === "float" ? { bits: "float" } : {}),
      });
      expect(Buffer.from(save(mine.graph)).equals(tuned)).toBe(true);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

  test("pictures in colour are learned where the page runs other kernels, with wasm beside", async () => {
    const graph = networkGraph();
    const at = await pages.bundled(graph, { classes: ["extmul"], beside: true });
    const { page, complaints } = await pages.open(at);
    for (let i = 0; i < 6; i++) {
      const pixels = Uint8Array.from({ length: 192 }, (_, at) => (at % 3 === i % 3 ? 250 - i : 20));
      await drop(page, ".frame", `${i}.png`, "image/png", pngOf(8, 8, 3, pixels));
      await page.locator("#outputs table").waitFor();
      await page.getByLabel("It is").selectOption({ index: i % 3 });
      await page.getByRole("button", { name: "Keep this sample" }).click();
      await page.getByText(`${i + 1} sample`).waitFor();
    }
    await page.getByText("How it learns").click();
    await page.getByLabel("Epochs").fill("5");
    await page.getByRole("button", { name: "Learn" }).click();
    await page.getByText(/^Learned\. Loss/).waitFor({ timeout: 60_000 });
    const saved = readNpz(readFileSync(await downloaded(page, /Download the samples/)));
    const labels = saved.get("labels")!;
    const tuned = readFileSync(await downloaded(page, /-tuned\.octette/));
    const mine = await tune(readArtifact(save(graph)).graph, {
      data: createDataset({ x: saved.get("x")! }, graph.inputs, { labels }),
      ...{ train: "all", epochs: 5, batch: 8, lr: 0.001, validation: 0.2, seed: 0 },
    });
    expect(Buffer.from(save(mine.graph)).equals(tuned)).toBe(true);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("kept samples survive a reload, each model has its own, and all can be removed", async () => {
    const { page, complaints } = await pages.open(rows);
    await keepRows(page);
    await page.getByText("They stay on this device, for this model, until you remove them.").waitFor();
    await page.reload();
    await page.getByText("10 samples of 2 classes").waitFor();
    expect(await page.locator(".samples li canvas").count()).toBe(10);
    await page.getByRole("button", { name: "Remove this above" }).first().click();
    await page.getByText("9 samples of 2 classes").waitFor();
    const saved = readNpz(readFileSync(await downloaded(page, /Download the samples/)));
    expect([...saved.get("row")!.data]).toEqual([
      ...Float32Array.from(ROWS.filter((_, i) => i !== 1).flat()),
    ]);
    const other = await page.context().newPage();
    await other.goto(page.url().replace(/[^/]+\/$/, `${digits.split("/").at(-1)}/`));
    await other.getByText("0 samples of 0 classes").waitFor();
    await page.reload();
    await page.getByText("9 samples of 2 classes").waitFor();
    await page.getByRole("button", { name: "Remove all samples" }).click();
    await page.getByText("0 samples of 0 classes").waitFor();
    await page.reload();
    await page.getByText("They stay on this device").waitFor();
    await page.getByText("0 samples of 0 classes").waitFor();
    expect(await seriousIn(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("where the browser keeps nothing, or has no more room, the page says so and goes on", async () => {
    const { page, complaints } = await pages.open(rows);
    await page.addInitScript(() => {
      IDBObjectStore.prototype.add = () => {
        throw new DOMException("no room", "QuotaExceededError");
      };
    });
    await page.reload();
    await page.getByRole("button", { name: "Keep this sample" }).click();
    await page.getByText(/^There is no more room on this device/).waitFor();
    await page.getByText("1 sample of 1 class").waitFor();
    await page.addInitScript(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("denied", "SecurityError");
      };
    });
    await page.reload();
    await page.getByText(/^This browser keeps nothing for this page/).waitFor();
    await page.getByRole("button", { name: "Keep this sample" }).click();
    await page.getByText("1 sample of 1 class").waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("samples that cannot be removed stay, and the page says so", async () => {
    const { page, complaints } = await pages.open(rows);
    await page.addInitScript(() => {
      IDBObjectStore.prototype.delete = () => {
        throw new DOMException("the disk is read-only", "UnknownError");
      };
    });
    await page.reload();
    await page.getByRole("button", { name: "Keep this sample" }).click();
    for (const name of ["Remove this below", "Remove all samples"]) {
      await page.getByText("They stay on this device").or(page.getByText("read-only")).waitFor();
      await page.getByRole("button", { name }).click();
      await page.getByText("Nothing was removed: the disk is read-only").waitFor();
      await page.getByText("1 sample of 1 class").waitFor();
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("learning is stopped, and a sample is taken out again", async () => {
    const { page, complaints } = await pages.open(rows);
    await keepRows(page);
    await page.getByRole("button", { name: "Remove this above" }).first().click();
    await page.getByText("9 samples of 2 classes").waitFor();
    await page.getByText("How it learns").click();
    await page.getByLabel("Epochs").fill("100000");
    await page.getByLabel("Learning rate").fill("0.000001");
    await page.getByRole("button", { name: "Learn" }).click();
    await page.getByText("Learning, 100000 steps.").waitFor({ timeout: 30_000 });
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Stopped. The model is as it was.").waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("where the worker of a tuned model ends, the page's own answers, and it learns again", async () => {
    const { page, complaints } = await pages.open(rows);
    await page.addInitScript(() => {
      const workers: Worker[] = [];
      const Plain = Worker;
      class Listed extends Plain {
        constructor(url: string | URL, options?: WorkerOptions) {
          super(url, options);
          if (`${url}`.endsWith("/learn.js")) workers.push(this);
        }
      }
      Object.assign(globalThis, { Worker: Listed, workers });
    });
    await page.reload();
    await keepRows(page);
    for (let times = 1; times <= 2; times++) {
      await page.getByRole("button", { name: "Learn" }).click();
      await page.getByText(/^Learned\. Loss/).waitFor({ timeout: 60_000 });
      await page.locator(".whose").getByText("after").waitFor();
      const started = await page.evaluate(() => {
        const { workers } = globalThis as unknown as { workers: readonly Worker[] };
        workers
          .at(-1)!
          .dispatchEvent(new ErrorEvent("error", { message: "out of memory", cancelable: true }));
        return workers.length;
      });
      expect(started).toBe(times);
      await page.getByRole("button", { name: "Next" }).click();
      await page.locator(".whose").first().waitFor({ state: "detached" });
      expect(await page.locator("#problem").textContent()).toBe("");
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a model that cannot learn says why, and carries nothing for it", async () => {
    const at = await pages.bundled(convGraph({ cin: 3, cout: 4, k: 3, h: 8, w: 8 }));
    const { page, complaints } = await pages.open(at);
    await page.getByText("Its first output is not a row of scores.").waitFor();
    expect(readdirSync(at).filter((file) => file.startsWith("learn"))).toEqual([]);
    expect(await seriousIn(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
