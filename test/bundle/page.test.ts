// The page of a model, as people use it: what they draw, drop, record, type and paste is answered as the model answers it in Node, under a
// strict policy, without a request to elsewhere, and so that everyone can use it.

import type { Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sharesOf } from "../../src/bundle/page/results";
import type { Graph } from "../../src/graph/graph";
import type { TypedArray } from "../../src/graph/tensor";
import { loadSync } from "../../src/index";
import { pictureFeed } from "../../src/pictures/index";
import { GraphBuilder } from "../graph-builder";
import { digitsGraph, draw, drawn, drop, launch, Pages, pngOf, seriousIn } from "./pages";

/** Lets the page say its answer in words that match. */
const heard = (page: Page, words: RegExp) =>
  page.locator("#heard").filter({ hasText: words }).waitFor({ timeout: 10_000 });

/** Colour pictures of 12 × 10 to five classes, normalized as torchvision's are. */
function colourGraph(): Graph {
  const b = new GraphBuilder(11);
  const x = b.input("photo", ["batch", 3, 10, 12]);
  const c = b.node("Conv", [x, b.floats("w", [5, 3, 10, 12], 0.05)], "c", { kernel_shape: [10, 12] });
  b.node("Flatten", [c], "y");
  const graph = b.build("y");
  const preprocessing = {
    layout: "nchw",
    scale: 1 / 255,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  } as const;
  const classes = ["apple", "bean", "cherry", "date", "elder"];
  return { ...graph, classes, inputs: [{ ...graph.inputs[0]!, preprocessing }] };
}

/** x [batch, k] → n numbers. */
function rowGraph(name: string, k: number, n: number): Graph {
  const b = new GraphBuilder(3);
  const x = b.input(name, ["batch", k]);
  b.node("Linear", [x, b.floats("w", [n, k], 0.5), b.floats("b", [n], 1)], "y");
  return b.build("y");
}

/** Token ids and a mask of as many, to the sums of both. */
function idsGraph(): Graph {
  const b = new GraphBuilder(3);
  const [ids, mask] = [b.input("input_ids", [1, 4], "i32"), b.input("mask", [1, 4], "i32")];
  b.node("BroadcastAdd", [ids, mask], "y");
  return b.build("y");
}

const answerOf = (graph: Graph, feeds: Readonly<Record<string, TypedArray>>) => {
  const model = loadSync(graph);
  const outputs = model.runSync(feeds);
  model.dispose();
  return outputs.y!;
};

/** Shares as the page writes them. */
const percents = (numbers: readonly number[]) => numbers.map((share) => `${(100 * share).toFixed(1)} %`);

describe.skipIf(!launch)("the page of a model, in Chromium", () => {
  let pages: Pages;
  let digits: string;
  beforeAll(async () => {
    pages = await Pages.start();
    digits = await pages.bundled(await digitsGraph());
  }, 60_000);
  afterAll(() => pages?.stop());

  for (const [colorScheme, width] of [
    ["light", 1100],
    ["dark", 360],
  ] as const)
    test(`digits that are drawn are classified at once; ${colorScheme}, ${width} pixels wide`, async () => {
      const { page, complaints } = await pages.open(digits, {
        colorScheme,
        viewport: { width, height: 800 },
      });
      const digitsOf = Object.entries(drawn);
      for (const [digit, lines] of width > 360 ? digitsOf : digitsOf.slice(0, 3)) {
        await draw(page, lines);
        await page.locator(".verdict strong").getByText(digit).waitFor();
      }
      await heard(page, width > 360 ? /^9, / : /^2, /);
      expect(await page.locator("#facts").textContent()).toMatch(
        /A run, warm[\d.]+ [µm]s.*Memory[\d.]+ kB.*Kernels(baseline|extmul|relaxed)/,
      );
      await page.locator("summary").first().click();
      expect(await seriousIn(page)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

  test("a digit is drawn by the keyboard alone", async () => {
    const { page, complaints } = await pages.open(digits);
    await page.locator(".stage").focus();
    await page.keyboard.press("Space");
    for (let i = 0; i < 10; i++) await page.keyboard.press("ArrowDown");
    await heard(page, /^1, /);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a dropped PNG is resized and answered as in Node, and what is no picture is said to be none", async () => {
    const graph = colourGraph();
    const { page, complaints } = await pages.open(await pages.bundled(graph));
    const [width, height] = [31, 20];
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 256);
    await drop(page, ".frame", "photo.png", "image/png", pngOf(width, height, 3, data));
    await heard(page, /%/);
    const { photo } = pictureFeed(graph, { width, height, data });
    const expected = percents(sharesOf(answerOf(graph, { photo: photo!.data })));
    expect(await page.locator("table.classes td.number").allTextContents()).toEqual(expected);
    expect(await page.locator("table.classes tbody th").allTextContents()).toEqual(graph.classes);
    await drop(page, ".frame", "notes.txt", "text/plain", Uint8Array.of(1, 2, 3));
    await page.getByText("notes.txt is not a picture that this browser reads (text/plain).").waitFor();
    expect(await seriousIn(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("pictures that are replaced or cleared give their memory back", async () => {
    const { page, complaints } = await pages.open(await pages.bundled(colourGraph()));
    await page.evaluate(() => {
      const bitmaps: ImageBitmap[] = [];
      const make = createImageBitmap as (...args: unknown[]) => Promise<ImageBitmap>;
      const createListed = async (...args: unknown[]) => {
        const bitmap = await make(...args);
        bitmaps.push(bitmap);
        return bitmap;
      };
      Object.assign(globalThis, { createImageBitmap: createListed, bitmaps });
    });
    const widths = () =>
      page.evaluate(() =>
        (globalThis as unknown as { bitmaps: readonly ImageBitmap[] }).bitmaps.map(({ width }) => width),
      );
    for (const width of [31, 20]) {
      await drop(page, ".frame", "photo.png", "image/png", pngOf(width, 20, 3, new Uint8Array(width * 60)));
      await expect.poll(async () => (await widths()).at(-1)).toBe(width);
    }
    // One that is closed has no width.
    await expect.poll(widths).toEqual([0, 20]);
    await page.getByRole("button", { name: "Clear" }).click();
    await expect.poll(widths).toEqual([0, 0]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("the camera is asked for by its button: denied it says so, allowed it is answered frame after frame", async () => {
    const at = await pages.bundled(colourGraph());
    const denied = await pages.open(at);
    await denied.page.getByRole("button", { name: "Use the camera" }).click();
    await denied.page.getByText(/The camera was denied\. Allow it/).waitFor();
    await denied.page.context().close();
    const { page, complaints } = await pages.open(at, { permissions: ["camera"] });
    await page.getByRole("button", { name: "Use the camera" }).click();
    await page.locator("table.classes").waitFor();
    await page.getByRole("button", { name: "Take the picture" }).click();
    await page.getByRole("button", { name: "Use the camera" }).waitFor();
    await heard(page, /%/);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a sound is recorded, and its loudest part is answered", async () => {
    const graph = rowGraph("audio", 4000, 3);
    const at = await pages.bundled(graph);
    const denied = await pages.open(at);
    await denied.page.getByRole("button", { name: "Record" }).click();
    await denied.page.getByText(/The microphone was denied\. Allow it/).waitFor();
    await denied.page.context().close();
    const { page, complaints } = await pages.open(at, { permissions: ["microphone"] });
    await page.getByRole("button", { name: "Record" }).click();
    await page.locator("canvas[aria-label='a sound of 0.25 seconds']").waitFor({ timeout: 20_000 });
    await heard(page, /%/);
    expect(await seriousIn(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("rows of a CSV are answered as in Node, and every slider moves a number", async () => {
    const graph = rowGraph("x", 3, 1);
    const { page, complaints } = await pages.open(await pages.bundled(graph));
    const csv = "width;height;kind;depth;label\n1.5;2;a;-3;1\n4;5;b;6;0\n";
    await page.locator("textarea").fill(csv);
    const number = page.locator("table.numbers td");
    const shown = (row: readonly number[]) =>
      number
        .filter({
          hasText: String(Number(answerOf(graph, { x: Float32Array.from(row) }).data[0]!.toPrecision(5))),
        })
        .waitFor();
    await shown([1.5, 2, -3]);
    await page.getByRole("button", { name: "Next" }).click();
    await shown([4, 5, 6]);
    await page.getByLabel("height, as a number").fill("2.5");
    await shown([4, 2.5, 6]);
    await page.locator("textarea").fill("1,2,3,4");
    await page.getByText("The model takes 3 numbers, and the first row has 4.").waitFor();
    expect(await seriousIn(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("several inputs have a control each, and ids are written", async () => {
    const { page, complaints } = await pages.open(await pages.bundled(idsGraph()));
    await page.getByRole("group", { name: "input_ids" }).locator("textarea").fill("5, 6 7 8");
    await heard(page, /^6, 7, 8, 9$/);
    await page.getByRole("group", { name: "mask" }).locator("textarea").fill("1 1");
    await page.getByText("The model takes 4 numbers, got 2.").waitFor();
    expect(await seriousIn(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("without shared memory it runs on one thread, and says what is missing", async () => {
    const { page, complaints } = await pages.open(digits, {}, false);
    await draw(page, drawn[7]!);
    await heard(page, /^7, /);
    await page.getByText(/the page is not cross-origin isolated/).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
