// The code and the commands of README and docs, as they are printed: names that they import are there, and what can run here runs,
// in a folder with the files of examples/digits.
// A block of a guide that begins with the name of a file is that file; the guide's first one is its program.

import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { afterAll, expect, test } from "vitest";
import { writeNpy } from "../src/formats/npy";
import { tensor } from "../src/graph/tensor";

const root = fileURLToPath(new URL("../", import.meta.url));
const guides = readdirSync(join(root, "docs/guides")).map((file) => `docs/guides/${file}`);
const documents = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((file) => file.endsWith(".md") && file !== "api.md")
    .map((file) => `docs/${file}`),
  ...guides,
];

const textOf = (document: string) => readFileSync(join(root, document), "utf8");

/** Blocks of code that are whole: one that leaves something out says so by "…". */
const blocksOf = (document: string, languages: RegExp) =>
  [...textOf(document).matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter(([, language, code]) => languages.test(language!) && !code!.includes("…"))
    .map(([, language, code]) => ({ language: language!, code: code! }));

const folder = mkdtempSync(join(tmpdir(), "octette-snippets-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder with octette installed and the files of examples/digits. */
function place(name: string): string {
  const at = join(folder, name);
  mkdirSync(join(at, "node_modules"), { recursive: true });
  symlinkSync(root, join(at, "node_modules/octette"));
  cpSync(join(root, "examples/digits"), at, { recursive: true });
  writeFileSync(join(at, "package.json"), '{ "type": "module" }');
  writeFileSync(join(at, "digit.npy"), writeNpy(tensor("u8", [1, 1, 8, 8], new Uint8Array(64).fill(7))));
  return at;
}

const node = (at: string, args: readonly string[]) =>
  execFileSync(process.execPath, args, {
    cwd: at,
    encoding: "utf8",
    timeout: 120_000,
    stdio: ["ignore", "pipe", "pipe"],
  });

test.each(documents)("%s imports only what there is", async (document) => {
  for (const { language, code } of blocksOf(document, /^(js|ts)$/)) {
    for (const [, names, module] of code.matchAll(
      /^import (?:type )?\{([^}]*)\} from "octette([^"]*)";$/gm,
    )) {
      const declared = readFileSync(join(root, `build/${module!.slice(1) || "index"}.d.ts`), "utf8");
      for (const name of names!
        .split(",")
        .map((one) => one.replace(/^\s*type |\sas .*/g, "").trim())
        .filter(Boolean))
        expect(declared, `${name} of octette${module}`).toMatch(new RegExp(`\\b${name}\\b`));
    }
    // A part of an object is no program of its own.
    const whole = /^\w+: \{$/m.test(code.split("\n")[0]!) ? `({${code}})` : code;
    expect(
      () => transformSync(whole, { loader: language as "js" | "ts", format: "esm" }),
      code,
    ).not.toThrow();
  }
});

test.each(["README.md", ...documents.slice(1)])("%s links to files that there are", (document) => {
  const links = [...textOf(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path]) => path!);
  expect(links.filter((path) => !existsSync(join(root, dirname(document), path)))).toEqual([]);
});

test("README's code quantizes, tunes and loads, one block after the other", { timeout: 300_000 }, () => {
  const at = place("readme");
  const all = blocksOf("README.md", /^js$/).map(({ code }) => code);
  const [eight, tuning] = [
    all.find((code) => code.includes("importOnnx("))!,
    all.find((code) => code.includes("tuned.octette"))!,
  ];
  writeFileSync(join(at, "digits.mjs"), `${eight}\n${tuning}\nconsole.log(logits.shape.join());`);
  expect(node(at, ["digits.mjs"])).toBe("1,10\n");
});

test("README's commands run", { timeout: 600_000 }, () => {
  const at = place("commands");
  const section = textOf("README.md").split("## Command line")[1]!.split("\n## ")[0]!;
  const commands = [...section.matchAll(/^ {4}octette (.*)$/gm)].map(([, args]) => args!.split(" "));
  expect(commands.length).toBeGreaterThan(8);
  for (const args of commands) node(at, [join(root, "build/cli.js"), ...args]);
});

test.each(guides)("%s runs", { timeout: 300_000 }, (guide) => {
  const at = place(basename(guide, ".md"));
  const files = blocksOf(guide, /^(js|sh)$/).flatMap(({ code }) => {
    const [, name] = /^(?:\/\/|#) ([\w-]+\.(?:mjs|sh))\n/.exec(code) ?? [];
    return name ? [{ name, code }] : [];
  });
  for (const { name, code } of files) writeFileSync(join(at, name), code);
  for (const { name } of files.slice(0, 1)) {
    mkdirSync(join(at, "bin"));
    writeFileSync(
      join(at, "bin/octette"),
      `#!/bin/sh\nexec "${process.execPath}" "${root}build/cli.js" "$@"\n`,
      { mode: 0o755 },
    );
    const env = { ...process.env, PATH: `${join(at, "bin")}:${process.env.PATH}` };
    const [command, args] = name.endsWith(".sh") ? ["sh", ["-e", name]] : [process.execPath, [name]];
    execFileSync(command, args as string[], {
      cwd: at,
      env,
      timeout: 240_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
});
