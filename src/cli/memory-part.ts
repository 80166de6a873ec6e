// The part of a report that shows memory: addresses over steps, as planned.

import { escapeHtml } from "./html";
import type { PlanMap } from "./memory-map";
import { bar, rows, section } from "./report-parts";
import { formatBytes } from "./terminal";

/** Size of the map's own coordinates, which it is scaled from. */
const [W, H] = [960, 240];
/** Degrees of hue from one block to the next, so that neighbours differ. */
const HUE = 137;
/** Steps that are named, those that need most. */
const NAMED = 5;

export function memoryPart({ steps, blocks, arenaBytes, constantBytes }: PlanMap): string {
  const x = (step: number) => ((step + 1) / (steps.length + 1)) * W;
  const y = (bytes: number) => H - (bytes / (arenaBytes || 1)) * H;
  const boxes = blocks.map(({ name, at, bytes, first, last }, i) => {
    const end = at + bytes;
    const until = last < 0 ? "" : `, until ${steps[last]}`;
    const text = `${name}: ${formatBytes(bytes)} from byte ${at}, step ${first + 1} to ${last + 1}${until}`;
    return `<rect x="${x(first).toFixed(2)}" y="${y(end).toFixed(2)}" width="${(x(last + 1) - x(first)).toFixed(2)}" height="${(y(at) - y(end)).toFixed(2)}" fill="hsl(${(i * HUE) % 360} 55% 55%)"><title>${escapeHtml(text)}</title></rect>`;
  });
  const needed = steps.map((node, i) => ({
    node,
    bytes: blocks.reduce((sum, { first, last, bytes }) => sum + (first <= i && i <= last ? bytes : 0), 0),
  }));
  const top = needed.toSorted((a, b) => b.bytes - a.bytes).slice(0, NAMED);
  return section(
    "Memory over steps",
    `The arena of ${formatBytes(arenaBytes)} as planned for one sample: from left to right the input and the ${steps.length} steps, from bottom to top addresses. A box is a buffer, from the step that writes to it first to the last that needs it. Constants take ${formatBytes(constantBytes)} beside.`,
    `<svg class="map" viewBox="0 0 ${W} ${H}" preserveAspectRatio="none" role="img" aria-label="addresses over steps">${boxes.join("")}</svg><p>Steps that need most:</p>${rows(top.map(({ node, bytes }) => bar(node, bytes / (arenaBytes || 1), formatBytes(bytes))))}`,
  );
}
