//   jsc -m answers-shell.js -- ARTIFACT…      in the repository's root; prints one JSON object
// JavaScriptCore's own shell has the language and WebAssembly, and of the web's functions next to none.

globalThis.TextEncoder ??= class {
  encode(text) {
    return Uint8Array.from(unescape(encodeURIComponent(text)), (character) => character.charCodeAt(0));
  }
};
/** Bytes of a sequence by its first byte, and least and most of what may follow that (Unicode 15, table 3-7). */
const sequences = [
  [0xc2, 0xdf, 2, 0x80, 0xbf],
  [0xe0, 0xe0, 3, 0xa0, 0xbf],
  [0xe1, 0xec, 3, 0x80, 0xbf],
  [0xed, 0xed, 3, 0x80, 0x9f],
  [0xee, 0xef, 3, 0x80, 0xbf],
  [0xf0, 0xf0, 4, 0x90, 0xbf],
  [0xf1, 0xf3, 4, 0x80, 0xbf],
  [0xf4, 0xf4, 4, 0x80, 0x8f],
];

/** UTF-8; what is none becomes U+FFFD, once for each longest part that a sequence might begin with. */
globalThis.TextDecoder ??= class {
  /** The beginning of a sequence, of a stream that goes on. */
  held = new Uint8Array();

  decode(bytes = new Uint8Array(), { stream = false } = {}) {
    const view = Uint8Array.from([
      ...this.held,
      ...new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset, bytes.length),
    ]);
    this.held = new Uint8Array();
    let text = "";
    for (let at = 0; at < view.length; ) {
      const start = at;
      const first = view[at++];
      const [, , length = 1, least, most] =
        sequences.find(([from, to]) => first >= from && first <= to) ?? [];
      let code = length === 1 ? first : first & (0x7f >> length);
      let read = 1;
      for (; read < length && at < view.length; read++, at++) {
        const next = view[at];
        if (next < (read === 1 ? least : 0x80) || next > (read === 1 ? most : 0xbf)) break;
        code = (code << 6) | (next & 0x3f);
      }
      if (stream && read < length && at === view.length) {
        this.held = view.slice(start);
        break;
      }
      const isWhole = read === length && (length > 1 || first < 0x80);
      text += String.fromCodePoint(isWhole ? code : 0xfffd);
    }
    return text;
  }
};
for (const name of ["URL", "Blob", "Response"]) globalThis[name] ??= class {};

try {
  const { answersOf } = await import("./answers.js");
  print(
    JSON.stringify(await answersOf(globalThis.arguments, (path) => new Uint8Array(readFile(path, "binary")))),
  );
} catch (error) {
  print(`${error}\n${error.stack}`);
}
