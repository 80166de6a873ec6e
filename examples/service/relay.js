// A broker for measurements where there is no mosquitto: hands messages on, and keeps none. A process of its own, whose port it prints:
// what is measured has no part of it in its event loop.

import { createServer } from "node:net";
import { generate, parser } from "mqtt-packet";

const PROTOCOL = { protocolVersion: 5 };
/** Connections, each with the parts of the topics that it asked for. */
const clients = new Map();

const fits = (filter, topic) =>
  filter.length === topic.length && filter.every((part, i) => part === "+" || part === topic[i]);

function take(socket, packet) {
  const send = (answer) => socket.write(generate(answer, PROTOCOL));
  const { cmd, messageId, qos } = packet;
  if (cmd === "connect") send({ cmd: "connack", reasonCode: 0, sessionPresent: false });
  if (cmd === "pingreq") send({ cmd: "pingresp" });
  if (cmd === "subscribe") {
    const filters = packet.subscriptions.map(({ topic }) => topic.split("/"));
    clients.get(socket).push(...filters);
    send({ cmd: "suback", messageId, granted: filters.map(() => 0) });
  }
  if (cmd === "publish") {
    if (qos === 1) send({ cmd: "puback", messageId, reasonCode: 0 });
    const { topic, payload, properties } = packet;
    const parts = topic.split("/");
    const message = generate(
      { cmd, topic, payload, properties, qos: 0, dup: false, retain: false },
      PROTOCOL,
    );
    for (const [other, filters] of clients)
      if (filters.some((filter) => fits(filter, parts))) other.write(message);
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  const packets = parser(PROTOCOL).on("packet", (packet) => take(socket, packet));
  clients.set(socket, []);
  socket
    .on("data", (data) => packets.parse(data))
    .on("error", () => {})
    .on("close", () => clients.delete(socket));
}).listen(0, "127.0.0.1", () => console.log(server.address().port));
