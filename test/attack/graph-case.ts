// One item of the attack by graphs: compared, and where the two differ, explained or told.

import type { Case } from "./builder";
import { compareCase } from "./compare";
import { explain } from "./explain";
import { graphOf, names } from "./graphs";
import type { Peer } from "./peer";
import type { Octette } from "./runs";
import type { Result, Task } from "./worker";

/** The case in a line a node. */
export function describe(one: Case): string {
  const shown = (name: string) => {
    const elements = one.feeds[name] ?? one.initializers[name];
    if (!elements) return name;
    const { type, shape, values } = elements;
    return `${name}${name in one.feeds ? ":" : "="}${type}[${shape}]{${values.slice(0, 8)}${values.length > 8 ? "…" : ""}}`;
  };
  const attribute = (_: string, value: unknown) =>
    value instanceof Uint8Array ? [...value.slice(0, 16)] : value;
  const nodes = one.nodes.map(
    ({ op, inputs = [], outputs, attributes }) =>
      `${op}(${inputs.map(shown).join(", ")})${JSON.stringify(attributes, attribute)} → ${outputs}`,
  );
  return `opset ${one.opset}, batch ${one.batch}: ${nodes.join("; ")}`;
}

export async function graphCase(
  octette: Octette,
  peer: Peer,
  { seed, only }: Task,
  index: number,
  beforePeer: () => Promise<unknown>,
): Promise<Result> {
  const one = graphOf(seed, index, only.length > 0 ? only : names);
  const outcome = await compareCase(octette, peer, one, beforePeer);
  const { group } = one;
  if (outcome.is !== "different" && outcome.is !== "untyped")
    return { index, group, is: outcome.is, note: outcome.note ?? "" };
  const reason = outcome.is === "different" ? await explain(octette, peer, one, outcome) : undefined;
  if (reason?.rule) return { index, group, is: "explained", note: reason.rule };
  const smallest = reason?.smallest ?? one;
  const note = `${outcome.note} (${outcome.way})${reason ? `; ${reason.note}` : ""}`;
  const feeds = JSON.stringify(
    smallest.feeds,
    (_, value) =>
      typeof value === "bigint"
        ? `${value}`
        : Number.isFinite(value) || typeof value !== "number"
          ? value
          : `${value}`,
    1,
  );
  return {
    index,
    group: smallest === one ? group : smallest.nodes[0]!.op,
    is: outcome.is,
    note,
    files: {
      onnx: Buffer.from(smallest.model).toString("base64"),
      "feeds.json": Buffer.from(feeds).toString("base64"),
      txt: Buffer.from(`${note}\n${describe(smallest)}\n`).toString("base64"),
    },
  };
}
