// Brokers for tests and measurements: mosquitto of Debian, which keeps what it was given over restarts, and where there is none the relay,
// which keeps nothing.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { endOf, startChild } from "./children.js";

/**
 * Ports that no outgoing connection is given: while a broker restarts, clients that try to reach it would take its port otherwise, even by
 * a connection to themselves.
 */
const [FIRST_PORT, PORTS] = [20_000, 10_000];
/** Milliseconds that it may take to start or to end. */
const PATIENCE = 10_000;

/** A port that nobody listens at. */
async function freePort() {
  for (;;) {
    const port = FIRST_PORT + Math.floor(PORTS * Math.random());
    const server = createServer();
    const isFree = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** Whether somebody listens at a port. */
async function answers(port) {
  const socket = createConnection(port, "127.0.0.1");
  const isUp = await new Promise((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
  socket.destroy();
  return isUp;
}

const keeping = (folder) => `persistence true
persistence_location ${folder}/
autosave_interval 1
autosave_on_changes true`;

export class Broker {
  name = "mosquitto";
  #folder;
  #isKept;
  #process;
  /** Why it is not running. */
  #ended;

  /** With `isKept` it writes every message to the disk before it takes the next: a broker that is killed has lost none. */
  constructor(folder, { isKept = false } = {}) {
    this.#folder = folder;
    this.#isKept = isKept;
  }

  async start() {
    this.port ??= await freePort();
    const config = join(this.#folder, "mosquitto.conf");
    await writeFile(
      config,
      `user root
listener ${this.port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
log_type error
${this.#isKept ? keeping(this.#folder) : ""}
`,
    );
    this.#ended = undefined;
    this.#process = startChild("mosquitto", ["-c", config], { onLine: console.log })
      .once("error", ({ message }) => {
        this.#ended = `${message}: apt-get install mosquitto`;
      })
      .once("exit", (code, signal) => {
        this.#ended = `it ended with ${code ?? signal}`;
      });
    for (const start = performance.now(); performance.now() - start < PATIENCE; ) {
      if (await answers(this.port)) return;
      if (this.#ended) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`mosquitto does not start: ${this.#ended ?? "it does not answer"}`);
  }

  get url() {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  stop() {
    return endOf(this.#process, "SIGTERM", PATIENCE);
  }

  async restart() {
    await this.stop();
    await this.start();
  }
}

/** Hands messages on, as relay.js says. */
class Relay {
  name = "relay.js";
  #process;

  async start() {
    this.url = await new Promise((resolve, reject) => {
      const script = fileURLToPath(new URL("relay.js", import.meta.url));
      this.#process = startChild(process.execPath, [script], {
        onLine: (port) => resolve(`mqtt://127.0.0.1:${port}`),
      }).once("exit", () => reject(new Error("the relay does not start")));
    });
  }

  stop() {
    return endOf(this.#process, "SIGKILL", PATIENCE);
  }
}

/** Whatever there is to hand messages on. */
export function anyBroker(folder) {
  const isThere = !spawnSync("mosquitto", ["-h"], { stdio: "ignore" }).error;
  return isThere && process.env.BROKER !== "relay" ? new Broker(folder) : new Relay();
}
