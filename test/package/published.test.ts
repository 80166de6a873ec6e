// What is published beside code: addresses, links and licences.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
// @ts-expect-error: a script
import { withAddresses, withLinks } from "../../scripts/addresses.js";

const root = new URL("../../", import.meta.url);
const textOf = (path: string) => readFileSync(new URL(path, root), "utf8");
const REPOSITORY = "https://example.com/someone/octette";

test("NOTICE has the licence of every library in the built scripts", () => {
  const libraries: string[] = JSON.parse(textOf("build/libraries.json"));
  expect(libraries.length).toBeGreaterThan(2);
  const words = (text: string) => text.replaceAll(/\s+/g, " ").trim();
  const notice = words(`${textOf("NOTICE")} ${textOf("LICENSE")}`);
  for (const name of libraries) {
    const file = readdirSync(new URL(`node_modules/${name}/`, root)).find((one) => /^licen[cs]e/i.test(one));
    expect(notice, name).toContain(name);
    // Apache's text ends with how to apply it, which is no part of it.
    const [licence] = words(textOf(`node_modules/${name}/${file}`)).split(" APPENDIX:");
    expect(notice.includes(licence!), name).toBe(true);
  }
});

test("addresses are those of the repository that publishes", () => {
  const { repository, homepage, bugs, name } = withAddresses(JSON.parse(textOf("package.json")), REPOSITORY);
  expect({ repository, homepage, bugs, name }).toEqual({
    repository: { type: "git", url: `git+${REPOSITORY}.git` },
    homepage: `${REPOSITORY}#readme`,
    bugs: `${REPOSITORY}/issues`,
    name: "octette",
  });
  const readme: string = withLinks(textOf("README.md"), REPOSITORY, "v0.1.0");
  expect(readme).toContain(`](${REPOSITORY}/blob/v0.1.0/CONTRIBUTING.md)`);
  expect(readme).toContain(`](${REPOSITORY}/raw/v0.1.0/docs/overview.svg)`);
  expect([...readme.matchAll(/\]\((?!https?:|#)[^)]*\)/g)].map(([link]) => link)).toEqual([]);
});

test("without an address nothing is published", () => {
  const { scripts } = JSON.parse(textOf("package.json"));
  const [command, ...args] = scripts.prepublishOnly.split(" ");
  const { status, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toContain("node scripts/addresses.js https://HOST/OWNER/NAME v");
});
