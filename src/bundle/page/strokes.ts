// A drawing as strokes: lines through points of 0 … 1. So it can be drawn at any size, and moved to where a model expects it.

export type Point = readonly [x: number, y: number];
export type Stroke = readonly Point[];

/** Pixels of the canvas that a pixel of the model's picture is the mean of, each way. */
const FINE = 8;
/** Width of a line in a picture of `side` pixels: about that of MNIST's digits, and a pixel in the smallest. */
const lineWidth = (side: number) => Math.max(1.25, side / 11);
/** Part of a picture that a drawing fills: all of the smallest, 20 of 28 pixels as in MNIST. */
const filled = (side: number) => (side <= 16 ? 1 : 20 / 28);

/** A context to draw with: white, round, on what is there. */
function pen(canvas: HTMLCanvasElement | OffscreenCanvas, width: number) {
  const context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  Object.assign(context, {
    lineWidth: width,
    lineCap: "round",
    lineJoin: "round",
    strokeStyle: "#fff",
    fillStyle: "#000",
  });
  return context;
}

/** Draws strokes over the whole canvas, white on black, as thick as they will be seen. */
export function draw(canvas: HTMLCanvasElement, strokes: readonly Stroke[], side: number): void {
  const context = pen(canvas, (lineWidth(side) / side) * canvas.width);
  context.fillRect(0, 0, canvas.width, canvas.height);
  trace(context, strokes, ([x, y]) => [x * canvas.width, y * canvas.height]);
}

function trace(
  context: CanvasRenderingContext2D,
  strokes: readonly Stroke[],
  place: (point: Point) => Point,
): void {
  for (const stroke of strokes) {
    context.beginPath();
    const [first, ...rest] = stroke.map(place);
    context.moveTo(...first!);
    for (const point of rest.length > 0 ? rest : [first!]) context.lineTo(...point);
    context.stroke();
  }
}

/** Strokes as pixels of this size, each the mean of what it covers; `centred`: moved and scaled to fill what such pictures fill. */
export function drawn(
  strokes: readonly Stroke[],
  width: number,
  height: number,
  centred: boolean,
): ImageData {
  const side = Math.min(width, height);
  const canvas = new OffscreenCanvas(width * FINE, height * FINE);
  const context = pen(canvas, lineWidth(side) * FINE);
  context.fillRect(0, 0, canvas.width, canvas.height);
  const place = centred
    ? centring(strokes, width, height)
    : ([x, y]: Point) => [x * width, y * height] as const;
  trace(context, strokes, (point) => {
    const [x, y] = place(point);
    return [x * FINE, y * FINE];
  });
  return shrunk(context.getImageData(0, 0, canvas.width, canvas.height), width, height);
}

/** Where points go so that the drawing lies in the middle and fills what such pictures fill. */
function centring(strokes: readonly Stroke[], width: number, height: number): (point: Point) => Point {
  const points = strokes.flat();
  const [xs, ys] = [points.map(([x]) => x * width), points.map(([, y]) => y * height)];
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const side = Math.min(width, height);
  const room = side * filled(side) - lineWidth(side);
  // A dot stays a dot.
  const scale = room / Math.max(right - left, bottom - top, room / 2);
  return ([x, y]) => [
    width / 2 + (x * width - (left + right) / 2) * scale,
    height / 2 + (y * height - (top + bottom) / 2) * scale,
  ];
}

/** Each pixel the mean of FINE × FINE. */
function shrunk(fine: ImageData, width: number, height: number): ImageData {
  const image = new ImageData(width, height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let i = 0; i < FINE; i++)
        for (let j = 0; j < FINE; j++) sum += fine.data[4 * ((y * FINE + i) * fine.width + x * FINE + j)]!;
      image.data.fill(Math.round(sum / FINE ** 2), 4 * (y * width + x), 4 * (y * width + x) + 3);
      image.data[4 * (y * width + x) + 3] = 255;
    }
  return image;
}

/** Shows where the pen of the keyboard is. */
export function drawPen(canvas: HTMLCanvasElement, [x, y]: Point): void {
  const context = canvas.getContext("2d")!;
  context.strokeStyle = "#f80";
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x * canvas.width, y * canvas.height, 6, 0, 7);
  context.stroke();
}
