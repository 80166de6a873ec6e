// Feeds on their way to a worker: copied once, so that the caller's arrays stay theirs. What lies in shared memory is not copied.

import type { Feed, Feeds } from "../engine/feeds";

type Elements = Exclude<Feeds[string], Feed>;

/** The feeds with arrays of their own. What are no arrays is left to whoever checks feeds. */
export const copied = (feeds: Feeds): Feeds =>
  typeof feeds !== "object" || feeds === null || ArrayBuffer.isView(feeds)
    ? feeds
    : (Object.fromEntries(
        Object.entries(feeds).map(([name, fed]) => {
          if (ArrayBuffer.isView(fed)) return [name, ownOf(fed as Elements)];
          const data: unknown = Object(fed).data;
          return [name, ArrayBuffer.isView(data) ? { ...fed, data: ownOf(data as Elements) } : fed];
        }),
      ) as Feeds);

/** A copy over a buffer of its own, of a Buffer of Node too, whose own slice is none. */
function ownOf(elements: Elements): Elements {
  const { buffer, byteOffset, byteLength } = elements;
  if (!(buffer instanceof ArrayBuffer)) return elements;
  const kind = elements[Symbol.toStringTag] as "Uint8Array";
  return new globalThis[kind](buffer.slice(byteOffset, byteOffset + byteLength));
}
