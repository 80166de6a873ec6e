// The project's attack on itself: `npm run attack [-- OPTIONS]`. Random graphs beside ONNX Runtime, and mutated files of every format.
// Prints how each ended, by operator and by format; a difference that no rule explains, an error that is not typed, or an item
// that is slow or large is a finding: its files are written to build/attack/findings/, and the exit code is 1.
//
//   --graphs N      random graphs (default 1000), 0 for none
//   --mutations N   mutated files (default 5000), 0 for none
//   --commands      also every command of the CLI on hostile files made by hand
//   --seed S        another seed gives other items (default 1)
//   --from I        index of the first item (default 0): `--from 1000 --graphs 500` goes on where 1000 ended
//   --only NAME     only these operators or formats, comma-separated
//   --jobs J        processes at a time (default 2)
//   --package PATH  main script of another build of octette
//   --refusals      the reasons for which octette refuses graphs and files, by how often

import { type ChildProcess, fork } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { attackCommands } from "./commands";
import type { Message, Result, Task } from "./worker";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { values } = parseArgs({
  options: {
    graphs: { type: "string", default: "1000" },
    mutations: { type: "string", default: "5000" },
    commands: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    only: { type: "string", default: "" },
    jobs: { type: "string", default: "2" },
    package: { type: "string", default: `${root}build/index.js` },
    peer: {
      type: "string",
      default: `${root}test/attack/peer/node_modules/onnxruntime-web/dist/ort.node.min.mjs`,
    },
    refusals: { type: "boolean", default: false },
  },
});

/** Items of a process: its memory is given back after them. */
const ITEMS = { graphs: 250, mutations: 1000 };
/** Longest silence of a process, in milliseconds: whatever it does then hangs. */
const SILENCE = 120_000;
/** Findings of one group and kind that are written to files. */
const WRITTEN = 5;

const findings = `${root}build/attack/findings/`;
rmSync(findings, { recursive: true, force: true });
mkdirSync(findings, { recursive: true });
const worker = fileURLToPath(new URL("worker.js", import.meta.url));
const wrong = new Set(["different", "untyped", "slow", "large", "hangs", "crashes", "control"]);

/** Does a task in a process of its own; a process that hangs or dies is ended, and another one goes on after its item. */
async function perform(task: Task, take: (result: Result) => void): Promise<void> {
  let { from } = task;
  while (from < task.to) {
    const child: ChildProcess = fork(worker, [JSON.stringify({ ...task, from })], {
      execArgv: ["--max-old-space-size=3000", "--expose-gc"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let last = "";
    child.stderr!.on("data", (text) => {
      last = `${last}${text}`.slice(-600);
    });
    let phase = "start";
    let hangs = false;
    let timer: NodeJS.Timeout | undefined;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        hangs = true;
        child.kill("SIGKILL");
      }, SILENCE);
    };
    wait();
    child.on("message", (message: Message) => {
      wait();
      if ("phase" in message) {
        from = message.at;
        phase = message.phase;
      } else {
        from = message.index + 1;
        phase = "start";
        take(message);
      }
    });
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    clearTimeout(timer);
    if (from >= task.to && code === 0) return;
    if (phase === "start") throw new Error(`a process ended with code ${code} between two items: ${last}`);
    const isPeer = phase === "peer";
    const note = `${phase} ${hangs ? "hangs" : `ends with code ${code}: ${last}`}`;
    take({ index: from, group: "process", is: isPeer ? "unpeered" : hangs ? "hangs" : "crashes", note });
    from++;
  }
}

type Tally = Map<string, Map<string, number>>;
const add = (tally: Tally, group: string, is: string) => {
  const row = tally.get(group) ?? new Map<string, number>();
  tally.set(group, row.set(is, (row.get(is) ?? 0) + 1));
};

function print(title: string, tally: Tally, columns: readonly string[]): void {
  const others = [...new Set([...tally.values()].flatMap((row) => [...row.keys()]))];
  const used = [
    ...columns.filter((name) => others.includes(name)),
    ...others.filter((name) => !columns.includes(name)),
  ];
  const total = new Map<string, number>();
  for (const row of tally.values()) for (const [is, n] of row) total.set(is, (total.get(is) ?? 0) + n);
  const rows = [...tally].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = [
    [title, ...used],
    ...[...rows, ["all", total] as const].map(([name, row]) => [
      name,
      ...used.map((is) => `${row.get(is) ?? ""}`),
    ]),
  ];
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  for (const line of lines)
    console.log(
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join("  ")
        .trimEnd(),
    );
  console.log();
}

let found = 0;
const written = new Map<string, number>();

function report(kind: Task["kind"], { index, group, is, note = "", files = {} }: Result): void {
  found++;
  const key = `${kind}-${group}-${is}`;
  const n = (written.get(key) ?? 0) + 1;
  written.set(key, n);
  if (n > WRITTEN) return;
  const name = `${key.replace(/\W+/g, "_")}-${values.seed}-${index}`;
  for (const [ending, base64] of Object.entries(files))
    writeFileSync(`${findings}${name}.${ending}`, Buffer.from(base64, "base64"));
  const only = values.only ? ` --only ${values.only}` : "";
  const other = kind === "graphs" ? "mutations" : "graphs";
  console.log(
    `${is}: ${group}: ${note.slice(0, 300)}\n  npm run attack -- --seed ${values.seed} --from ${index} --${kind} 1 --${other} 0${only}\n  build/attack/findings/${name}.*`,
  );
}

async function attack(kind: Task["kind"], columns: readonly string[]): Promise<void> {
  const count = Number(values[kind]);
  if (count === 0) return;
  const seed = Number(values.seed);
  const first = Number(values.from);
  const only = values.only ? values.only.split(",") : [];
  const tally: Tally = new Map();
  const notes: Tally = new Map();
  let next = first;
  const take = (result: Result) => {
    add(tally, result.group, result.is);
    if (result.is === "explained") add(notes, result.note!, "explained");
    if ((result.is === "refused" || result.is === "typed") && values.refusals)
      add(
        notes,
        `${result.group}: ${result
          .note!.replace(/"[^"]*"/g, '""')
          .replace(/-?\d+(\.\d+)?/g, "#")
          .slice(0, 160)}`,
        result.is,
      );
    if (wrong.has(result.is)) report(kind, result);
  };
  const run = async () => {
    while (next < first + count) {
      const from = next;
      next = Math.min(first + count, from + ITEMS[kind]);
      await perform({ kind, seed, from, to: next, only, octette: values.package, peer: values.peer }, take);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: Number(values.jobs) }, run));
  console.log(
    `\n${count} ${kind}, seed ${seed}, from ${first}: ${((performance.now() - start) / 1000).toFixed(0)} s\n`,
  );
  print(kind, tally, columns);
  if (notes.size > 0) {
    const sorted = [...notes].sort(([, a], [, b]) => [...b.values()][0]! - [...a.values()][0]!);
    for (const [note, row] of sorted) for (const [is, n] of row) console.log(`${n} ${is}: ${note}`);
    console.log();
  }
}

await attack("graphs", ["right", "explained", "refused", "unpeered", "unfed", "different", "untyped"]);
await attack("mutations", ["typed", "works", "untyped", "slow", "large"]);
if (values.commands) {
  const tally: Tally = new Map();
  const cli = values.package.replace(/index\.js$/, "cli.js");
  const only = values.only ? values.only.split(",") : [];
  const start = performance.now();
  await attackCommands(cli, Number(values.jobs), only, ({ group, is, note, file }) => {
    add(tally, group, is);
    if (!wrong.has(is)) return;
    found++;
    console.log(`${is}: ${note}`);
    if (statSync(file).size < 1e7) copyFileSync(file, `${findings}${basename(file)}`);
  });
  console.log(`\ncommands on hostile files: ${((performance.now() - start) / 1000).toFixed(0)} s\n`);
  print("commands", tally, ["typed", "works"]);
}
console.log(found === 0 ? "No findings." : `${found} findings.`);
process.exitCode = found === 0 ? 0 : 1;
