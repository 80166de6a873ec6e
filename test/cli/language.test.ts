// Language models from the command line, on the models of shared data (OCTETTE_DATA, lm).

import { existsSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeNpy } from "../../src/formats/npy";
import { tensor } from "../../src/graph/tensor";
import { dataFolder } from "../formats/fixtures";
import { octette } from "./spawn";

const lm = join(dataFolder ?? "", "lm");
const kjv = join(lm, "kjv");
const llama = join(lm, "tiny/llama");

describe.skipIf(dataFolder === undefined || !existsSync(kjv))("language models", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "octette-language-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await octette([...args, "--json"]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return JSON.parse(stdout);
  };
  const fails = async (code: number, text: RegExp, ...args: string[]) => {
    const outcome = await octette(args);
    expect(outcome.stderr).toMatch(text);
    expect(outcome).toMatchObject({ code, stdout: "" });
  };

  test("generate continues a prompt", async () => {
    const args = ["generate", kjv, "--prompt", "In the beginning", "--max-tokens", "12"];
    const found = await json(...args);
    expect(found).toMatchObject({ reason: "length", text: " of the end of the days of the end of the days" });
    expect(found.tokens).toHaveLength(12);
    const { stdout, stderr } = await octette(args);
    expect(stdout).toBe(`${found.text}\n`);
    expect(stderr).toMatch(/7 tokens of prompt, 12 generated, .* tokens\/s; ended by length/);
    expect((await json(...args, "--stop", " days")).text).toBe(" of the end of the");
  });

  test("chat answers each line, with a template, and says before any line where there is none", async () => {
    const model = join(folder, "chat");
    await cp(kjv, model, { recursive: true });
    await writeFile(
      join(model, "chat_template.jinja"),
      "{% for m in messages %}{{ m.content }} {% endfor %}",
    );
    const args = ["chat", model, "--max-tokens", "4", "--json"];
    const { code, stdout } = await octette(args, { input: "In the beginning\nAnd God\n\nunread\n" });
    expect(code).toBe(0);
    const { messages } = JSON.parse(stdout);
    expect(messages.map(({ role }: { role: string }) => role)).toEqual([
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
    expect(messages[2].content).toBe("And God");
    expect(messages[3].content.length).toBeGreaterThan(3);
    await fails(1, /kjv: the model has no chat template.*generate MODEL --prompt/, "chat", kjv);
  });

  test("generate draws the same text from the same seed, on threads too", async () => {
    const args = [
      "generate",
      kjv,
      "--prompt",
      "And",
      "--max-tokens",
      "9",
      "--temperature",
      "1",
      "--seed",
      "7",
    ];
    const found = await json(...args);
    expect(await json(...args, "--threads", "2")).toEqual(found);
    expect((await json(...args.with(-1, "8"))).text).not.toBe(found.text);
  });

  test("generate takes tokens without a tokenizer, and says so where it is given text", async () => {
    const found = await json("generate", llama, "--ids", "5,6,7", "--max-tokens", "4");
    expect(found).toMatchObject({ text: "", promptTokens: 3 });
    const { stdout } = await octette(["generate", llama, "--ids", "5,6,7", "--max-tokens", "4"]);
    expect(stdout).toBe(`${found.tokens.join(",")}\n`);
    await fails(1, /the model has no tokenizer/, "generate", llama, "--prompt", "a");
  });

  test("generate refuses what does not fit", async () => {
    await fails(2, /one of --prompt, --chat and --ids/, "generate", kjv);
    await fails(2, /--ids must be tokens such as 1,2,3, got "1,x"/, "generate", kjv, "--ids", "1,x");
    await fails(
      2,
      /--temperature must be a number from 0/,
      "generate",
      kjv,
      "--ids",
      "1",
      "--temperature=-1",
    );
    await fails(1, /not a token of the model.*got 5000/, "generate", kjv, "--ids", "5000");
    await fails(
      1,
      /the text is too long.*maxTokens = 4/,
      "generate",
      kjv,
      "--ids",
      "1,2,3,4,5",
      "--context",
      "4",
    );
    await fails(1, /no chat template/, "generate", kjv, "--chat", "hello");
    await fails(1, /made for fewer tokens/, "generate", kjv, "--ids", "1", "--context", "100000");
  });

  test("perplexity of a text and of its tokens, beside another model", async () => {
    const found = await json("perplexity", kjv, "--text", join(kjv, "eval.txt"), "--windows", "2");
    expect(found).toMatchObject({ tokens: 510, windows: 2 });
    expect(found.natsPerByte).toBeLessThan(found.nats);
    const ids = join(folder, "ids.npy");
    await writeFile(
      ids,
      writeNpy(
        tensor(
          "i32",
          [64],
          Array.from({ length: 64 }, (_, i) => 7 * i),
        ),
      ),
    );
    const against = join(lm, "gguf/kjv-Q4_0.gguf");
    const compared = await json("perplexity", kjv, "--ids", ids, "--window", "32", "--against", against);
    expect(compared).toMatchObject({ tokens: 62, windows: 2 });
    expect(compared.kld).toBeGreaterThan(0);
    expect(compared.top1).toBeGreaterThan(20);
    await fails(2, /one of --text and --ids/, "perplexity", kjv);
    await fails(1, /shorter than a window/, "perplexity", kjv, "--ids", ids);
  });

  test("embed takes encoders", async () => {
    await fails(1, /generates text: it is no encoder/, "embed", kjv, "a", "b");
    await fails(2, /TEXT is missing/, "embed", kjv);
  });

  test("inspect, bench and footprint know them", async () => {
    const found = await json("inspect", kjv);
    expect(found).toMatchObject({ task: "next-token", vocabulary: 1024, maxTokens: 512, hasTokenizer: true });
    expect(found.memory.cachePerToken).toBe(4 * 2 * 2 * 32 * 4);
    const speed = await json("bench", join(lm, "gguf/kjv-Q8_0.gguf"), "--seconds", "0.1");
    expect(speed.prefill).toBeGreaterThan(0);
    expect(speed.decode).toBeGreaterThan(0);
    await fails(2, /not for language models/, "bench", kjv, "--batch", "2");
    const { bytes } = await json("footprint", kjv, "--context", "64");
    expect(bytes.cache).toBe(64 * found.memory.cachePerToken);
  });
});
