// Writes where the project lives into what is published: the fields repository, homepage and bugs of package.json, and whole
// addresses in place of README's links to files that are not in the package.
//   node scripts/addresses.js https://github.com/OWNER/NAME v0.1.0
// The publishing workflow calls it with its own repository, so no address stands in the sources. Without arguments it fails where that was not
// done, so that nobody publishes by hand a README whose links lead nowhere.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { root } from "./esbuild.js";

/** package.json with the addresses of a repository. */
export function withAddresses(manifest, repository) {
  return {
    ...manifest,
    repository: { type: "git", url: `git+${repository}.git` },
    homepage: `${repository}#readme`,
    bugs: `${repository}/issues`,
  };
}

/** README with whole addresses of files and pictures: those of a tag, as npm shows the page of a version. */
export function withLinks(text, repository, tag) {
  return text.replaceAll(/(!?)\[([^\]]*)\]\((?!https?:|#)([^)]+)\)/g, (_, picture, label, path) =>
    picture
      ? `![${label}](${repository}/raw/${tag}/${path})`
      : `[${label}](${repository}/blob/${tag}/${path})`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [repository, tag] = process.argv.slice(2);
  const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  if (!repository && manifest.repository) process.exit();
  if (!/^https:\/\/[^\s/]+\/[^\s/]+\/[^\s/]+$/.test(repository ?? ""))
    throw new Error(
      `expected the repository and tag: node scripts/addresses.js https://HOST/OWNER/NAME v${manifest.version}`,
    );
  if (tag !== `v${manifest.version}`) throw new Error(`expected the tag v${manifest.version}, got ${tag}`);
  writeFileSync(`${root}package.json`, `${JSON.stringify(withAddresses(manifest, repository), null, 2)}\n`);
  const readme = readFileSync(`${root}README.md`, "utf8");
  writeFileSync(`${root}README.md`, withLinks(readme, repository, tag));
}
