// Every operator of TensorFlow Lite in a file of its own, against what it computes element by element.

import { test } from "vitest";
import { preload } from "../../../src/index";
import { indexCases } from "./index-cases";
import { layerCases } from "./layer-cases";
import { checkCase } from "./operator-case";
import { otherCases } from "./other-cases";
import { wideCases } from "./wide-cases";

await preload();

test.each([...layerCases, ...otherCases, ...indexCases, ...wideCases])("$name", checkCase);
