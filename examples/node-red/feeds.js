// What a message carries as what a model takes. Whatever does not fit without doubt is refused.
//
//   [0, 1, 2, …], [[0, 1], [2, …]]    elements in the order of the input's dimensions
//   Float32Array, Uint8Array, …       the same, as they are
//   Buffer                            a PNG or JPEG where it is one, else the bytes of the elements
//   { width, height, data }           pixels
//   { dtype, shape, data }            a tensor
//   { input: …, other: … }            any of these by the name of the input

/** A message that does not fit its model. */
export class PayloadError extends Error {
  code = "argument";

  constructor(where, what, { expected, got, hint }) {
    super(`${where}: ${what}, expected ${expected}, got ${got}${hint ? `. ${hint}` : ""}`);
    this.name = "PayloadError";
    Object.assign(this, { where, expected, got }, hint && { hint });
  }
}

/** Feeds of a model with these inputs. */
export async function feedsOf(inputs, payload) {
  const names = inputs.map(({ name }) => name);
  if (isPlain(payload) && Object.keys(payload).some((key) => names.includes(key))) {
    // An unknown name is told by the model itself.
    const feeds = {};
    for (const [name, value] of Object.entries(payload)) {
      const input = inputs.find((one) => one.name === name);
      feeds[name] = input ? await feedOf(input, value) : value;
    }
    return feeds;
  }
  if (inputs.length === 1) return { [names[0]]: await feedOf(inputs[0], payload) };
  throw new PayloadError("msg.payload", "the model has several inputs", {
    expected: `{ ${names.join(", ")} }`,
    got: kindOf(payload),
  });
}

async function feedOf(input, value) {
  const where = `input "${input.name}"`;
  if (value?.length === 0)
    throw new PayloadError(where, "is empty", { expected: "the elements of a sample", got: kindOf(value) });
  if (Buffer.isBuffer(value))
    return isPicture(value) ? pictureOf(input, value) : elementsOf(input, value, where);
  if (ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return numbersOf(input, value, where);
  if (isPlain(value) && "data" in value) {
    if ("width" in value && "height" in value) return pictureOf(input, value);
    return { ...value, data: Array.isArray(value.data) ? numbersOf(input, value.data, where) : value.data };
  }
  throw new PayloadError(where, "is not the elements of a sample", {
    expected: "an array of numbers, a typed array, or a Buffer with a PNG, a JPEG or the elements",
    got: kindOf(value),
    ...(typeof value === "string" && { hint: "Let nodes that read files or answers give a Buffer" }),
  });
}

/** Pixels, resized to what the input takes. */
async function pictureOf(input, source) {
  const { openPicture, pictureFeed } = await import("octette/pictures");
  const picture = Buffer.isBuffer(source) ? await openPicture(source) : source;
  return pictureFeed({ inputs: [input] }, picture)[input.name];
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff];
const isPicture = (bytes) =>
  [PNG, JPEG].some((magic) => bytes.length > magic.length && magic.every((byte, i) => bytes[i] === byte));

/** The arrays of each element type. A model that normalizes numbers, not bytes, takes floats. */
const ARRAYS = {
  f32: Float32Array,
  i32: Int32Array,
  i64: BigInt64Array,
  u8: Uint8Array,
  i8: Int8Array,
  bool: Uint8Array,
};
const takesBytes = ({ preprocessing }) => preprocessing !== undefined && preprocessing.of === undefined;
const arrayOf = (input) => (takesBytes(input) ? Uint8Array : (ARRAYS[input.dtype] ?? Float32Array));

/** The elements in a buffer, little-endian where they are of several bytes. */
function elementsOf(input, bytes, where) {
  const Elements = arrayOf(input);
  const size = Elements.BYTES_PER_ELEMENT;
  if (bytes.length % size === 0) return new Elements(new Uint8Array(bytes).buffer);
  throw new PayloadError(where, "the buffer does not hold whole elements", {
    expected: `a multiple of ${size} bytes (${Elements.name}), a PNG or a JPEG`,
    got: `${bytes.length} bytes`,
  });
}

/** Which values of JSON an input takes as elements. Whole numbers must also be in the range of their array. */
function elementsTaken(input, Elements) {
  if (input.dtype === "bool")
    return { expected: "true, false, 1 or 0", takes: (value) => [true, false, 1, 0].includes(value) };
  if (Elements !== Float32Array)
    return { expected: `whole numbers of a ${Elements.name}`, takes: Number.isInteger };
  return {
    expected: "finite numbers of 32 bits",
    takes: (value) => Number.isFinite(value) && Number.isFinite(Math.fround(value)),
  };
}

/** Numbers of JSON, which have no type of their own. */
function numbersOf(input, numbers, where) {
  const Elements = arrayOf(input);
  const { expected, takes } = elementsTaken(input, Elements);
  const flat = flattened(numbers, where);
  const elements = new Elements(flat.length);
  for (const [i, number] of flat.entries()) {
    if (takes(number)) {
      elements[i] = Elements === BigInt64Array ? BigInt(number) : number;
      if (Elements === Float32Array || Number(elements[i]) === Number(number)) continue;
    }
    throw new PayloadError(where, `element ${i} does not fit`, {
      expected,
      got: typeof number === "number" ? `${number}` : kindOf(number),
      ...(takesBytes(input) && {
        hint: "The model normalizes bytes; a Float32Array is taken as normalized already",
      }),
    });
  }
  return elements;
}

/** The elements of nested lists, all of the same length at each depth. */
function flattened(numbers, where) {
  let flat = numbers;
  while (flat.some(Array.isArray)) {
    const [{ length }] = flat;
    const odd = flat.find((row) => !Array.isArray(row) || row.length !== length);
    if (odd !== undefined)
      throw new PayloadError(where, "its rows differ in length", {
        expected: `rows of ${length}`,
        got: Array.isArray(odd) ? `one of ${odd.length}` : kindOf(odd),
      });
    flat = flat.flat();
  }
  return flat;
}

const isPlain = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);

const kindOf = (value) =>
  value === null
    ? "null"
    : typeof value === "object"
      ? (value.constructor?.name ?? "an object")
      : typeof value;
