// The settings of examples/service: options of learning are an object, or refused before the service starts.

import { expect, test } from "vitest";

const { tuningOf } = await import(new URL("../../examples/service/settings.js", import.meta.url).href);

test("options of learner.tune are a JSON object", () => {
  expect(tuningOf("{}")).toEqual({});
  expect(tuningOf('{"lr":0.001,"train":"last:2"}')).toEqual({ lr: 0.001, train: "last:2" });
  for (const wrong of ["5", "null", "[1]", "true", '"lr"', "", "{lr:1}"])
    expect(tuningOf(wrong)).toBeUndefined();
});
