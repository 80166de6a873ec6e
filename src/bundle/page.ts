// The page that shows how the script beside it is used. No inline script and no style: it runs under the policy it states.

/** A page of a model: its title, what it may load beside its own scripts and data, and what stands below its heading. */
export const pageOf = (model: string, policy: string, content: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <!-- What octette needs of a policy: wasm that compiles, and its own files. -->
    <meta
      http-equiv="Content-Security-Policy"
      content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; ${policy}connect-src 'self'"
    />
    <meta name="viewport" content="width=device-width" />
    <title>${escaped(model)}</title>
    <script type="module" src="page.js"></script>
  </head>
  <body>
    <h1>${escaped(model)}</h1>
    <p>A page that is opened from disk loads nothing: serve this folder over http.</p>
${content}
  </body>
</html>
`;

export const html = (model: string) => pageOf(model, "", `    <pre id="answer">loading</pre>`);

const escaped = (text: string) =>
  text.replace(/[&<>]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character]!);

export const script = `// Runs the model once, on zeros.

import { load } from "./octette.js";

const arrays = { f32: Float32Array, i32: Int32Array, i8: Int8Array, u8: Uint8Array, bool: Uint8Array };

/** An input of zeros; symbols such as the batch are 1. */
function zeros({ dtype, shape }) {
  const sizes = shape.map((dim) => (typeof dim === "number" ? dim : 1));
  return { dtype, shape: sizes, data: new arrays[dtype](sizes.reduce((n, dim) => n * dim, 1)) };
}

const answer = document.querySelector("#answer");
document.querySelector("p").remove();
try {
  const model = await load();
  const feeds = Object.fromEntries(model.inputs.map((input) => [input.name, zeros(input)]));
  const start = performance.now();
  const outputs = await model.run(feeds);
  const lines = [\`\${(performance.now() - start).toFixed(1)} ms, \${model.engine.engineClass} kernels\`];
  for (const [name, { shape, data }] of Object.entries(outputs))
    lines.push(\`\${name} [\${shape.join(", ")}]: \${[...data.subarray(0, 10)].join(", ")}\${data.length > 10 ? " …" : ""}\`);
  answer.textContent = lines.join("\\n");
} catch (error) {
  answer.textContent = String(error);
}
`;
