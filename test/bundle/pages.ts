// Bundled folders in Chromium: served, opened, and watched for whatever a page may not do.

import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { zlibSync } from "fflate";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright";
import { inject } from "vitest";
import { type BundleOptions, bundle } from "../../src/bundle/index";
import { serveFolder } from "../../src/bundle/serve";
import type { Graph } from "../../src/graph/graph";
import { importOnnx, openDataset, quantize, save, withPreprocessing } from "../../src/index";
import { example } from "../cli/spawn";
import { readExample } from "../examples";

declare module "vitest" {
  interface ProvidedContext {
    /** How to launch it, where it was found. */
    readonly chromium: { executablePath: string; args: string[] } | undefined;
  }
}

export const launch = inject("chromium");

/** A camera and a microphone that are none. */
const DEVICES = ["--use-fake-device-for-media-stream"];

/** The int8 model of examples/digits, of the raw bytes of its data. */
export async function digitsGraph(): Promise<Graph> {
  const float = importOnnx(await readExample("digits.onnx"), { name: "digits" });
  const normalize = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] } as const;
  const data = await openDataset(example("train.npz"), float.inputs, { normalize });
  const calibration = data.take(256).batches(32);
  return (await quantize(withPreprocessing(float, data), { calibration })).graph;
}

export interface Opened {
  readonly page: Page;
  /** Errors of the console and of scripts, breaches of the policy, and requests to other servers. */
  readonly complaints: readonly string[];
}

export class Pages {
  readonly folder: string;
  readonly origin: string;
  readonly browser: Browser;
  readonly #ending: AbortController;

  private constructor(folder: string, origin: string, browser: Browser, ending: AbortController) {
    this.folder = folder;
    this.origin = origin;
    this.browser = browser;
    this.#ending = ending;
  }

  /** A browser and a server. */
  static async start(): Promise<Pages> {
    const folder = await mkdtemp(join(tmpdir(), "octette-pages-"));
    const browser = await chromium.launch({ ...launch!, args: [...launch!.args, ...DEVICES] });
    const ending = new AbortController();
    const { address } = await serveFolder(folder, undefined, ending.signal);
    return new Pages(folder, address, browser, ending);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    this.#ending.abort();
    await rm(this.folder, { recursive: true });
  }

  /** Writes the bundle of a graph, and returns the path of its folder. */
  async bundled(graph: Graph, options: Partial<BundleOptions> = {}): Promise<string> {
    const at = await mkdtemp(join(this.folder, "page-"));
    const { files } = await bundle(graph, save(graph), {
      model: "model.octette",
      classes: ["baseline", "extmul", "relaxed"],
      beside: false,
      ...options,
    });
    for (const [name, content] of files) await writeFile(join(at, name), content);
    return at;
  }

  /** Opens the page of a folder, and waits until its model is loaded. */
  async open(at: string, options: BrowserContextOptions = {}, isIsolated = true): Promise<Opened> {
    const context = await this.browser.newContext(options);
    const page = await context.newPage();
    if (!isIsolated)
      await page.route("**/*", async (route) => {
        const response = await route.fetch();
        const headers = Object.entries(response.headers()).filter(
          ([name]) => !name.startsWith("cross-origin"),
        );
        await route.fulfill({ response, headers: Object.fromEntries(headers) });
      });
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(this.origin))
        complaints.push(`request to ${request.url()}`);
    });
    await page.exposeFunction("complain", (text: string) => complaints.push(text));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
        (globalThis as unknown as { complain(text: string): void }).complain(
          `policy: ${violatedDirective} ${blockedURI}`,
        ),
      );
    });
    await page.goto(`${this.origin}${at.slice(this.folder.length + 1)}/`);
    await page.locator("#facts dl").waitFor({ state: "attached", timeout: 30_000 });
    return { page, complaints };
  }
}

type Line = readonly (readonly [x: number, y: number])[];

/** Digits as someone draws them, in parts of the canvas. */
export const drawn: Readonly<Record<string, readonly Line[]>> = {
  0: [
    [
      [0.5, 0.15],
      [0.3, 0.3],
      [0.28, 0.6],
      [0.5, 0.85],
      [0.7, 0.65],
      [0.7, 0.35],
      [0.5, 0.15],
    ],
  ],
  1: [
    [
      [0.5, 0.15],
      [0.5, 0.85],
    ],
  ],
  2: [
    [
      [0.3, 0.3],
      [0.45, 0.15],
      [0.65, 0.25],
      [0.6, 0.45],
      [0.3, 0.85],
      [0.75, 0.85],
    ],
  ],
  3: [
    [
      [0.3, 0.2],
      [0.6, 0.15],
      [0.7, 0.3],
      [0.5, 0.47],
      [0.7, 0.6],
      [0.65, 0.8],
      [0.3, 0.85],
    ],
  ],
  4: [
    [
      [0.6, 0.85],
      [0.6, 0.15],
      [0.25, 0.6],
      [0.8, 0.6],
    ],
  ],
  5: [
    [
      [0.7, 0.15],
      [0.35, 0.15],
      [0.32, 0.45],
      [0.6, 0.45],
      [0.7, 0.6],
      [0.6, 0.82],
      [0.3, 0.85],
    ],
  ],
  6: [
    [
      [0.6, 0.15],
      [0.4, 0.4],
      [0.33, 0.65],
      [0.45, 0.85],
      [0.65, 0.75],
      [0.6, 0.58],
      [0.38, 0.62],
    ],
  ],
  7: [
    [
      [0.25, 0.2],
      [0.75, 0.2],
      [0.45, 0.85],
    ],
  ],
  8: [
    [
      [0.5, 0.15],
      [0.35, 0.3],
      [0.62, 0.6],
      [0.5, 0.85],
      [0.37, 0.65],
      [0.62, 0.3],
      [0.5, 0.15],
    ],
  ],
  9: [
    [
      [0.65, 0.3],
      [0.45, 0.18],
      [0.38, 0.38],
      [0.6, 0.42],
      [0.65, 0.25],
      [0.6, 0.85],
    ],
  ],
};

/** Draws lines on the canvas with the mouse, each moved by `shift` of the canvas. */
export async function draw(
  page: Page,
  lines: readonly Line[],
  shift: readonly [number, number] = [0, 0],
): Promise<void> {
  await page.getByRole("button", { name: "Clear" }).click();
  await page.locator(".stage").scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await page.locator(".stage").boundingBox())!;
  for (const line of lines) {
    const [first, ...rest] = line.map(
      ([px, py]) => [x + (px + shift[0]) * width, y + (py + shift[1]) * height] as const,
    );
    await page.mouse.move(...first!);
    await page.mouse.down();
    for (const point of rest) await page.mouse.move(...point);
    await page.mouse.up();
  }
}

/** A PNG of eight bits a channel. */
export function pngOf(width: number, height: number, channels: 1 | 3, pixels: Uint8Array): Uint8Array {
  const chunk = (name: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const header = Buffer.from([0, 0, 0, width, 0, 0, 0, height, 8, channels === 3 ? 2 : 0, 0, 0, 0]);
  const row = width * channels;
  const rows = Array.from({ length: height }, (_, y) =>
    Buffer.concat([Buffer.of(0), pixels.subarray(y * row, (y + 1) * row)]),
  );
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", zlibSync(Buffer.concat(rows))),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** Drops a file on what a selector finds. */
export async function drop(
  page: Page,
  selector: string,
  name: string,
  type: string,
  bytes: Uint8Array,
): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([fileName, fileType, content]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(content)], fileName, { type: fileType }));
      return data;
    },
    [name, type, [...bytes]] as const,
  );
  await page.dispatchEvent(selector, "drop", { dataTransfer: transfer });
}

const axe = readFileSync(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** What axe finds that weighs much. */
export async function seriousIn(page: Page): Promise<string[]> {
  // Not by a script element, which the policy would not take.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    interface Violation {
      readonly id: string;
      readonly impact: string;
      readonly nodes: readonly { readonly html: string }[];
    }
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: readonly Violation[] }> };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}
