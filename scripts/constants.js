// Takes constant vectors out of the loops of kernels.
//
// V8 builds a v128.const anew at each use, of two moves of 64 bits and an insertion, though the loop around it would leave it
// the same (Node 24; zeros and ones aside). A global that nobody knows to be constant is one load, and shorter.

/** What an instruction makes at once: all bits the same. */
const CHEAP =
  /^v128\.const i32x4 (0x00000000 0x00000000 0x00000000 0x00000000|0xffffffff 0xffffffff 0xffffffff 0xffffffff)$/;

/** Wasm as text, one instruction a line, whose loops read constants from globals. */
export function withGlobals(text) {
  const globals = new Map();
  const loops = [];
  let depth = 0;
  const lines = text.split("\n").map((line) => {
    const [, constant] = /^\s*\((v128\.const [^)]*)\)/.exec(line) ?? [];
    const isInLoop = loops.length > 0;
    if (/^\s*\(loop\b/.test(line)) loops.push(depth);
    depth += (line.match(/\(/g)?.length ?? 0) - (line.match(/\)/g)?.length ?? 0);
    while (loops.length > 0 && depth <= loops.at(-1)) loops.pop();
    if (!constant || !isInLoop || CHEAP.test(constant)) return line;
    if (!globals.has(constant)) globals.set(constant, `$vector${globals.size}`);
    return line.replace(constant, `global.get ${globals.get(constant)}`);
  });
  const declared = [...globals].map(([constant, name]) => ` (global ${name} (mut v128) (${constant}))`);
  const first = lines.findIndex((line) => /^ \((memory|global|data|table|elem|export|func)\b/.test(line));
  return lines.toSpliced(first, 0, ...declared).join("\n");
}
