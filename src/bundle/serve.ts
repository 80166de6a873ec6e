// A server of one folder for this machine alone: to look at a page, not to publish it. It answers requests to localhost for files that lie
// in the folder, with the headers that let a page share memory among threads.

import { once } from "node:events";
import { readFile, realpath } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, sep } from "node:path";
import { OctetteError } from "../errors";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};

/** The port where none is asked for; where it is taken, any free one. */
export const PORT = 8080;

export interface Served {
  /** Such as http://localhost:8080/. */
  readonly address: string;
  /** Settles when the signal has ended it. */
  readonly ended: Promise<void>;
}

/**
 * Serves a folder at a port of localhost until the signal aborts.
 * @throws OctetteError "argument" where another program has the port that was asked for.
 */
export async function serveFolder(
  folder: string,
  asked: number | undefined,
  signal: AbortSignal,
): Promise<Served> {
  const root = await realpath(folder);
  const server = createServer((request, response) => void answer(root, request, response));
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(asked ?? PORT).catch((error: NodeJS.ErrnoException) => {
    if (asked === undefined && error.code === "EADDRINUSE") return listen(0);
    throw new OctetteError(
      error.code === "EADDRINUSE" ? "another program has this port" : `cannot be served: ${error.message}`,
      {
        code: "argument",
        where: `port ${asked}`,
        hint: "Name another one, or leave it out: then a free one is found",
      },
    );
  });
  const ended = new Promise<void>((resolve) => server.once("close", resolve));
  const end = () => {
    server.close();
    server.closeAllConnections();
  };
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  return { address: `http://localhost:${(server.address() as AddressInfo).port}/`, ended };
}

async function answer(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "", headers } = request;
  const end = (status: number, content: string | Uint8Array, type = "text/plain; charset=utf-8") =>
    response
      .writeHead(status, { ...HEADERS, "content-type": type, "content-length": Buffer.byteLength(content) })
      .end(method === "HEAD" ? undefined : content);
  // A page of another name that resolves to this machine is not to read the folder.
  if (!/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(headers.host ?? ""))
    return void end(403, "only for localhost");
  if (method !== "GET" && method !== "HEAD") return void end(405, "only GET and HEAD");
  const file = await fileOf(root, request.url ?? "/");
  const content = file && (await readFile(file).catch(() => undefined));
  if (!content) return void end(404, "no such file");
  end(200, content, TYPES[extname(file).toLowerCase()] ?? "application/octet-stream");
}

/** The file that a request means, links followed; undefined where there is none in the folder. */
async function fileOf(root: string, url: string): Promise<string | undefined> {
  try {
    const path = decodeURIComponent(new URL(`http://localhost${url}`).pathname);
    const file = await realpath(join(root, path.endsWith("/") ? `${path}index.html` : path));
    return file.startsWith(root.endsWith(sep) ? root : root + sep) ? file : undefined;
  } catch {
    return undefined;
  }
}
