// Every operator of TensorFlow Lite in a file of its own, against what it computes element by element.

import { test } from "vitest";
import { layerCases } from "./layer-cases";
import { checkCase } from "./operator-case";
import { otherCases } from "./other-cases";
import { wideCases } from "./wide-cases";

test.each([...layerCases, ...otherCases, ...wideCases])("$name", checkCase);
