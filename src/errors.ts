// Every error octette throws on purpose. A message says where, what, expected, got, and the way out;
// the same facts are fields, so that a program can act on them without parsing prose.

/** What kind of error it is. */
export type ErrorCode =
  /** Bytes of a file are not what its format says. */
  | "format"
  /** A graph breaks a rule of its own: unknown value, cycle, shapes that do not fit. */
  | "graph"
  /** The model uses something octette does not have. */
  | "unsupported"
  /** A caller passed something the function does not take. */
  | "argument"
  /** A named limit would be passed. */
  | "limit"
  /** A model or session was used after dispose(). */
  | "disposed"
  /** The engine lacks what octette needs, or computes it wrong. */
  | "engine";

/** The parts of an error. */
export interface ErrorFields {
  readonly code: ErrorCode;
  /** File, node, value or argument the error is about. */
  readonly where?: string;
  readonly expected?: string;
  readonly got?: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

/** Letters of each part of a message: names in a file have no end. */
const MAX_TOLD = 4096;

const brief = (part = "") => (part.length > MAX_TOLD ? `${part.slice(0, MAX_TOLD)}…` : part);

/** What octette throws. The message says where, what, expected and got, and the way out; the fields say the same to a program. */
export class OctetteError extends Error {
  readonly code: ErrorCode;
  readonly where?: string;
  readonly expected?: string;
  readonly got?: string;
  readonly hint?: string;

  constructor(what: string, fields: ErrorFields) {
    const { where, expected, got, hint } = fields;
    const facts = [expected && `expected ${brief(expected)}`, got && `got ${brief(got)}`].filter(Boolean);
    const text = where ? `${brief(where)}: ${brief(what)}` : brief(what);
    super(`${text}${facts.length > 0 ? `: ${facts.join(", ")}` : ""}${hint ? `. ${brief(hint)}` : ""}`);
    Object.assign(this, fields);
    this.code = fields.code;
    this.name = "OctetteError";
  }
}

/** A file is truncated, corrupted or hostile. `offset` is the byte where reading stopped, when known. */
export class FormatError extends OctetteError {
  readonly offset?: number;

  constructor(what: string, fields: Omit<ErrorFields, "code"> & { readonly offset?: number }) {
    const { offset, where, ...rest } = fields;
    const at = offset === undefined ? where : `${where ?? "input"} at byte ${offset}`;
    super(what, { code: "format", ...rest, ...(at === undefined ? {} : { where: at }) });
    this.name = "FormatError";
    if (offset !== undefined) this.offset = offset;
  }
}

/** The name of a value's class, such as "Blob". */
export const classNameOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/** What the system said of a source, without its call and its path. */
export const unreadable = (where: string, cause: unknown): OctetteError =>
  cause instanceof OctetteError
    ? cause
    : new OctetteError(`cannot be read: ${(cause as Error).message.split(", ")[0]}`, {
        code: "argument",
        where,
        hint: (cause as { code?: string }).code === "ENOENT" ? "Check the path" : undefined,
      });
