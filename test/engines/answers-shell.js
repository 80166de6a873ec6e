//   jsc -m answers-shell.js -- ARTIFACT…      in the repository's root; prints one JSON object
// JavaScriptCore's own shell has the language and WebAssembly, and of the web's functions next to none.

globalThis.TextEncoder ??= class {
  encode(text) {
    return Uint8Array.from(unescape(encodeURIComponent(text)), (character) => character.charCodeAt(0));
  }
};
globalThis.TextDecoder ??= class {
  decode(bytes) {
    const view = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
    let text = "";
    for (const byte of view ?? []) text += String.fromCharCode(byte);
    return decodeURIComponent(escape(text));
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
