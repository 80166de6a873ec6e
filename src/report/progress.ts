// Progress of long work as text: a bar that redraws on a terminal, a line every ten per cent elsewhere. It only
// writes to the stream it is given (standard error in Node), so standard output stays for results.

/** The part of Node's WriteStream that is used; anything that writes text will do. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Progress {
  /** Says how far the work is, and more of it in `detail`. Without a total only the count is shown. */
  update(stage: string, done: number, total?: number, detail?: string): void;
  /** Writes a line of its own. */
  log(text: string): void;
  /** Ends the line; later updates start anew. */
  end(): void;
}

/** Cells of the bar, and of one that leaves room for more numbers. */
const [BAR_CELLS, LEAST_CELLS] = [24, 8];
/** A terminal shows no more than about 15 pictures a second to the eye. */
const REDRAW_MS = 66;
/** Logs get a line at this many per cent. */
const LOG_STEP = 10;

export const noProgress: Progress = { update() {}, log() {}, end() {} };

export function createProgress(stream: ProgressStream): Progress {
  return stream.isTTY ? drawn(stream) : logged(stream);
}

const counted = (done: number, total: number | undefined) =>
  total === undefined ? `${done}` : `${done}/${total}`;
const after = (detail: string | undefined) => (detail ? `  ${detail}` : "");

function drawn(stream: ProgressStream): Progress {
  let shown = "";
  let stageShown = "";
  let last = 0;
  const draw = (text: string) => {
    stream.write(`\r${text.slice(0, Math.max(10, (stream.columns || 80) - 1))}\x1b[K`);
    shown = text;
  };
  return {
    update(stage, done, total, detail) {
      const now = Date.now();
      const complete = total !== undefined && done >= total;
      if (stage === stageShown && now - last < REDRAW_MS && !complete) return;
      if (stage !== stageShown && shown) stream.write("\n");
      stageShown = stage;
      last = now;
      const numbers = `${counted(done, total)}${after(detail)}`;
      const room = (stream.columns || 80) - stage.length - numbers.length - 4;
      const cells = Math.max(LEAST_CELLS, Math.min(BAR_CELLS, room));
      const filled = total ? Math.min(cells, Math.floor((done / total) * cells)) : 0;
      const bar = total ? `${"█".repeat(filled)}${"░".repeat(cells - filled)} ` : "";
      draw(`${stage}  ${bar}${numbers}`);
    },
    log(text) {
      stream.write(`${shown ? "\r\x1b[K" : ""}${text}\n`);
      shown = "";
      last = 0;
    },
    end() {
      if (shown) stream.write("\n");
      shown = stageShown = "";
    },
  };
}

function logged(stream: ProgressStream): Progress {
  let stageShown = "";
  let next = 0;
  return {
    update(stage, done, total, detail) {
      if (stage !== stageShown) next = 0;
      stageShown = stage;
      const percent = total ? Math.floor((100 * done) / total) : done;
      if (percent < next) return;
      // Without a total the steps double, so that a long stream does not flood a log.
      next = total ? (Math.floor(percent / LOG_STEP) + 1) * LOG_STEP : Math.max(64, done * 2);
      stream.write(`${stage}  ${counted(done, total)}${total ? ` (${percent} %)` : ""}${after(detail)}\n`);
    },
    log: (text) => void stream.write(`${text}\n`),
    end() {
      stageShown = "";
    },
  };
}
