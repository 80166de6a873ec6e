// Lines on a canvas, in the colour of the text around it.

/** Draws numbers as a line from left to right, over their own range or the one given. */
export function drawLine(
  canvas: HTMLCanvasElement,
  numbers: ArrayLike<number>,
  range: readonly [number, number] = extentOf(numbers),
): void {
  const { width, height } = canvas;
  const context = canvas.getContext("2d")!;
  context.clearRect(0, 0, width, height);
  context.strokeStyle = getComputedStyle(canvas.isConnected ? canvas : document.body).color;
  context.lineWidth = 2;
  context.beginPath();
  const [lo, hi] = range;
  const step = Math.max(1, Math.floor(numbers.length / (2 * width)));
  for (let i = 0; i < numbers.length; i += step) {
    const x = numbers.length > 1 ? (i / (numbers.length - 1)) * (width - 2) + 1 : width / 2;
    const y = height - 2 - ((numbers[i]! - lo) / (hi - lo || 1)) * (height - 4);
    context.lineTo(x, y);
  }
  context.stroke();
}

/** The lowest and the highest. */
export function extentOf(numbers: ArrayLike<number>): [number, number] {
  let [lo, hi] = [Infinity, -Infinity];
  for (let i = 0; i < numbers.length; i++) {
    lo = Math.min(lo, numbers[i]!);
    hi = Math.max(hi, numbers[i]!);
  }
  return lo <= hi ? [lo, hi] : [0, 0];
}
