// Every command of the CLI on every hostile file, in a process of its own: it ends with an exit code and an error of its own, within
// a time limit and a bound of memory, and writes nothing to a terminal that a terminal obeys.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onnxFile } from "../formats/onnx/model-file";
import { hostileFiles } from "./hostile";

/** Longest that a command may run, in milliseconds of a clock: a busy machine included. One that only waits ends here. */
const PATIENCE = 240_000;
/** Seconds of processor time beyond its bound after which the kernel ends a command. */
const GRACE = 10;
/** Processor time that a command may take which reads, and memory, both beyond what Node itself takes: by the size of the file. */
const boundOf = (bytes: number) => ({
  seconds: Math.min(12, 2 + bytes / 5e4),
  megabytes: bytes < 64e3 ? 200 : 800,
});
/** What a model of the default limit of memory may take beyond that, where a command runs it: its memory and a copy of its outputs. */
const RUNS = { seconds: 30, megabytes: 2200 };
const NODE_MEGABYTES = 120;

/** Written by the process itself when it ends, however it does. */
const meter = `data:text/javascript,${encodeURIComponent(
  'import { writeSync } from "node:fs"; process.on("exit", () => { const u = process.resourceUsage(); try { writeSync(3, JSON.stringify([u.userCPUTime + u.systemCPUTime, u.maxRSS]) + "\\n"); } catch {} });',
)}`;

interface Command {
  readonly name: string;
  readonly args: (file: string, folder: string) => readonly string[];
  /** Whether it runs a model, not only reads it. */
  readonly isRun: boolean;
}

const commands: Readonly<Record<"onnx" | "octette" | "data", readonly Command[]>> = (() => {
  const model: Command[] = [
    { name: "inspect", args: (file) => ["inspect", file, "--graph"], isRun: false },
    {
      name: "quantize",
      args: (file, out) => ["quantize", file, "--mode", "dynamic", "-o", join(out, "q.octette"), "--force"],
      isRun: true,
    },
    {
      name: "run",
      args: (file, out) => ["run", file, "--input", `x=${join(out, "../x.npy")}`, "-o", out],
      isRun: true,
    },
    { name: "eval", args: (file, out) => ["eval", file, "--data", join(out, "../data.csv")], isRun: true },
    {
      name: "tune",
      args: (file, out) => [
        "tune",
        file,
        "--data",
        join(out, "../data.csv"),
        "--epochs",
        "1",
        "-o",
        join(out, "t.octette"),
      ],
      isRun: true,
    },
    { name: "bench", args: (file) => ["bench", file, "--seconds", "0.1"], isRun: true },
    {
      name: "bundle",
      args: (file, out) => ["bundle", file, "-o", join(out, "page"), "--force"],
      isRun: true,
    },
    { name: "footprint", args: (file) => ["footprint", file], isRun: true },
  ];
  const delta: Command[] = [
    { name: "delta", args: (file, out) => ["delta", file, file, "-o", join(out, "d.delta")], isRun: true },
    { name: "apply", args: (file, out) => ["apply", file, file, "-o", join(out, "a.octette")], isRun: true },
  ];
  const small = (out: string) => join(out, "../small.onnx");
  return {
    onnx: model,
    octette: [...model, ...delta],
    data: [
      { name: "eval", args: (file, out) => ["eval", small(out), "--data", file], isRun: true },
      {
        name: "quantize",
        args: (file, out) => [
          "quantize",
          small(out),
          "--calibrate",
          file,
          "-o",
          join(out, "q.octette"),
          "--force",
        ],
        isRun: true,
      },
      {
        name: "tune",
        args: (file, out) => [
          "tune",
          small(out),
          "--data",
          file,
          "--epochs",
          "1",
          "-o",
          join(out, "t.octette"),
        ],
        isRun: true,
      },
    ],
  };
})();

interface Ended {
  readonly code: number | null;
  readonly text: string;
  readonly seconds: number;
  readonly megabytes: number;
  /** Ended by the clock, or by the kernel. */
  readonly isStopped: boolean;
  readonly isKilled: boolean;
}

function perform(cli: string, args: readonly string[], seconds: number): Promise<Ended> {
  return new Promise((resolve) => {
    const limited = `ulimit -t ${Math.ceil(seconds + GRACE)} && exec "$@"`;
    const node = [process.execPath, "--max-old-space-size=6000", "--import", meter, cli];
    const child = spawn("sh", ["-c", limited, "sh", ...node, ...args], {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: { ...process.env, OCTETTE_DEBUG: "1" },
      detached: true,
    });
    let [text, used] = ["", ""];
    let isStopped = false;
    for (const stream of [child.stdout!, child.stderr!])
      stream.on("data", (part) => {
        if (text.length < 1e6) text += part;
      });
    (child.stdio[3] as NodeJS.ReadableStream).on("data", (part) => {
      used += part;
    });
    const timer = setTimeout(() => {
      isStopped = true;
      process.kill(-child.pid!, "SIGKILL");
    }, PATIENCE);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const lines = used
        .trim()
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as [number, number]);
      const seconds = lines.reduce((sum, [microseconds]) => sum + microseconds, 0) / 1e6;
      const megabytes = Math.max(0, ...lines.map(([, kilobytes]) => kilobytes / 1e3)) - NODE_MEGABYTES;
      resolve({ code, text, seconds, megabytes, isStopped, isKilled: signal === "SIGKILL" && !isStopped });
    });
  });
}

/** Characters that a terminal obeys or that turn a line around, but for new lines and tabs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

export interface CommandResult {
  readonly index: number;
  readonly group: string;
  readonly is: string;
  readonly note: string;
  readonly file: string;
}

/** Throws where a command fails on files that are as they should be: then it is used wrongly here. */
async function checkCommands(cli: string, folder: string): Promise<void> {
  const out = join(folder, "good");
  mkdirSync(out);
  const model = join(folder, "small.onnx");
  const saved = join(folder, "small.octette");
  const calls = [
    ["quantize", model, "--mode", "dynamic", "-o", saved, "--force"],
    ...commands.onnx.map(({ args }) => args(model, out)),
    ...commands.data.map(({ args }) => args(join(folder, "data.csv"), out)),
    ["delta", saved, saved, "-o", join(out, "d.delta")],
    ["apply", saved, join(out, "d.delta"), "-o", join(out, "a.octette")],
  ];
  for (const call of calls) {
    const { code, text } = await perform(cli, call, RUNS.seconds);
    if (code !== 0) throw new Error(`octette ${call.join(" ")} ends with ${code}: ${text}`);
  }
}

/** Runs them all, `jobs` at a time. */
export async function attackCommands(
  cli: string,
  jobs: number,
  only: readonly string[],
  take: (result: CommandResult) => void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "octette-attack-"));
  try {
    const npy = Buffer.concat([
      Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]),
      Buffer.from(`${"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4), }".padEnd(117)}\n`),
      Buffer.alloc(16),
    ]);
    writeFileSync(join(folder, "x.npy"), npy);
    writeFileSync(join(folder, "data.csv"), "0,1,2,3,0\n1,2,3,0,1\n3,2,1,0,2\n2,2,2,2,3\n".repeat(4));
    const weights = {
      dtype: "f32" as const,
      shape: [4, 4],
      data: Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)),
    };
    const small = onnxFile({
      nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
      initializers: { w: weights },
    });
    writeFileSync(join(folder, "small.onnx"), small);
    await checkCommands(cli, folder);
    const tasks = (async function* () {
      let index = 0;
      for await (const [name, ending, bytes] of hostileFiles()) {
        const file = join(folder, ending === "data" ? name : `${index}.${ending}`);
        writeFileSync(file, bytes);
        for (const command of commands[ending])
          if (only.length === 0 || only.includes(command.name) || only.includes(name))
            yield { index, name, file, command, size: bytes.length };
        index++;
      }
    })();
    const run = async (job: number) => {
      const out = join(folder, `out${job}`);
      for await (const { index, name, file, command, size } of tasks) {
        rmSync(out, { recursive: true, force: true });
        mkdirSync(out);
        const { seconds, megabytes } = boundOf(size);
        const most = command.isRun
          ? { seconds: seconds + RUNS.seconds, megabytes: megabytes + RUNS.megabytes }
          : { seconds, megabytes };
        const ended = await perform(cli, command.args(file, out), most.seconds);
        const [is, why] = judge(ended, most);
        const facts = `${command.name} "${name}" (${(size / 1e3).toFixed(1)} kB): ${why}${ended.seconds.toFixed(1)} s, ${ended.megabytes.toFixed(0)} MB, exit ${ended.code}`;
        take({
          index,
          group: command.name,
          is,
          note: `${facts}; ${ended.text.slice(0, 160).replace(/\s+/g, " ")}`,
          file,
        });
      }
    };
    await Promise.all(Array.from({ length: jobs }, (_, job) => run(job)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judge(
  { code, text, seconds, megabytes, isStopped, isKilled }: Ended,
  most: { seconds: number; megabytes: number },
): [is: string, why: string] {
  if (isStopped) return ["hangs", ""];
  if (isKilled) return ["slow", `ended by the kernel: beyond ${most.seconds + GRACE} s, or out of memory; `];
  if (code === null || code > 2) return ["crashes", ""];
  if (control.test(text)) return ["control", `character ${JSON.stringify(control.exec(text)![0])}; `];
  if (code !== 0 && !/^(OctetteError|FormatError|octette): /m.test(text)) return ["untyped", ""];
  if (seconds > most.seconds) return ["slow", `beyond ${most.seconds} s; `];
  if (megabytes > most.megabytes) return ["large", `beyond ${most.megabytes} MB; `];
  if (text.length > 100_000 && code !== 0) return ["large", `a message of ${text.length} characters; `];
  return [code === 0 ? "works" : "typed", ""];
}
