// A broker for tests and measurements: mosquitto of Debian, which keeps what it was given over restarts.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";

/** A port that nobody listens at. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export class Broker {
  #folder;
  #process;

  constructor(folder) {
    this.#folder = folder;
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
persistence true
persistence_location ${this.#folder}/
autosave_interval 1
autosave_on_changes true
log_type error
`,
    );
    this.#process = spawn("mosquitto", ["-c", config], { stdio: ["ignore", "inherit", "inherit"] });
    for (let tries = 0; tries < 200; tries++) {
      const socket = createConnection(this.port, "127.0.0.1");
      const isUp = await Promise.race([
        once(socket, "connect").then(() => true),
        once(socket, "error").then(() => false),
      ]).catch(() => false);
      socket.destroy();
      if (isUp) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("mosquitto does not start: apt-get install mosquitto");
  }

  get url() {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async stop() {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await ended;
  }

  async restart() {
    await this.stop();
    await this.start();
  }
}
