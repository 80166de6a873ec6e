// What the nearest element was before opset 11, as later opsets say it.

/** The mode of nearest elements that is as before opset 11 for these scales; undefined where axes differ, or nothing is known of them. */
export function nearestModeOf(scales: ArrayLike<number> | undefined): "floor" | "ceil" | undefined {
  if (!scales) return undefined;
  const all = Array.from(scales);
  const isAbove = all.some((scale) => scale < 1 && !Number.isInteger(Math.fround(1 / scale)));
  if (!isAbove) return "floor";
  return all.some((scale) => scale > 1) ? undefined : "ceil";
}
