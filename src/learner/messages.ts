// What a learner and its workers send each other, and errors on their way between threads.

import { type ErrorCode, FormatError, OctetteError } from "../errors";
import type { Events, Jobs } from "./jobs";

export type JobName = Exclude<keyof Jobs, "dispose">;

/** To a worker: the kernels, once, before anything else. */
export type WorkerOrder = { readonly wasm: Readonly<Record<string, Uint8Array>> } | JobOrder;

/** To a worker that is up. */
export type JobOrder =
  | { readonly id: number; readonly job: JobName; readonly args: unknown }
  | { readonly id: number; readonly abort: true }
  /** What `ask` was answered. */
  | { readonly id: number; readonly answers: number; readonly error?: WireError };

/** From a worker. */
export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: WireError }
  | { readonly id: number; readonly event: keyof Events; readonly value: unknown }
  /** As an event, but that the job waits for an answer with this number. */
  | { readonly id: number; readonly event: keyof Events; readonly value: unknown; readonly asks: number };

/** An error whose fields a structured clone would lose. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly fields?: { readonly code: ErrorCode; readonly where?: string; readonly hint?: string };
}

export function errorToWire(error: unknown): WireError {
  const { name, message } = Object(error) as Error;
  if (!(error instanceof OctetteError)) return { name: name ?? "Error", message: message ?? `${error}` };
  const { code, where, expected, got, hint } = error;
  return { name, message, fields: JSON.parse(JSON.stringify({ code, where, expected, got, hint })) };
}

export function errorFromWire({ name, message, fields }: WireError): Error {
  if (!fields) return Object.assign(new Error(message), { name });
  const error = name === "FormatError" ? new FormatError("", fields) : new OctetteError("", fields);
  // Its parts are fields; the message has them already.
  return Object.assign(error, fields, { message });
}

/** The buffers of what is sent, which move to the other thread and are copied no more. Those that are shared stay where they are. */
export function buffersIn(value: unknown, found: Set<ArrayBuffer> = new Set()): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (value instanceof Map) buffersIn([...value.values()], found);
  else if (typeof value === "object" && value !== null)
    for (const part of Object.values(value)) buffersIn(part, found);
  return [...found];
}
