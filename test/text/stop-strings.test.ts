import fc from "fast-check";
import { expect, test } from "vitest";
import { StopStrings } from "../../src/text/stop-strings";

const streamed = (stops: readonly string[], pieces: readonly string[]) => {
  const stream = new StopStrings(stops);
  const out = pieces.map((piece) => stream.push(piece));
  return { out, end: stream.end(), isFound: stream.isFound };
};

test("text before a stop string comes, what may begin one is held back", () => {
  expect(streamed(["END"], ["a E", "N", "X", "E", "ND", "more"])).toEqual({
    out: ["a ", "", "ENX", "", "", ""],
    end: "",
    isFound: true,
  });
});

test("what was held back comes at the end", () => {
  expect(streamed(["\n\n"], ["one\n", "two\n"])).toEqual({
    out: ["one", "\ntwo"],
    end: "\n",
    isFound: false,
  });
});

test("without stop strings nothing is held back", () => {
  expect(streamed([], ["a", "b"])).toEqual({ out: ["a", "b"], end: "", isFound: false });
});

test("a text in any pieces is cut at the first stop string", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });
  fc.assert(
    fc.property(
      fc.array(letters, { maxLength: 8 }),
      fc.array(
        letters.filter((stop) => stop !== ""),
        { maxLength: 3 },
      ),
      (pieces, stops) => {
        const { out, end, isFound } = streamed(stops, pieces);
        const whole = pieces.join("");
        const cuts = stops.map((stop) => whole.indexOf(stop)).filter((at) => at >= 0);
        expect(isFound).toBe(cuts.length > 0);
        // A stop string that is complete earlier ends the text, where another begins before it.
        const ends = stops
          .map((stop) => whole.indexOf(stop) + stop.length)
          .filter((_, i) => whole.includes(stops[i]!));
        const text = out.join("") + end;
        if (!isFound) expect(text).toBe(whole);
        else {
          expect(whole.startsWith(text)).toBe(true);
          expect(text.length).toBeGreaterThanOrEqual(Math.min(...cuts));
          expect(text.length).toBeLessThanOrEqual(Math.min(...ends));
        }
      },
    ),
  );
});
