// Parameters of rotary embeddings in config.json: rope_parameters, and what files of before 2025 have in its place.

import { brief } from "../../formats/checks";
import { isJsonObject, type JsonObject } from "../../formats/json";
import type { RotaryFamily } from "./rotary";
import type { Settings } from "./settings";

export type LayerType = "full_attention" | "sliding_attention";

/** rope_parameters, by layer type or for all, and rope_scaling, as files of before 2025 have it. */
function parametersOf(
  settings: Settings,
  type: LayerType,
  { localTheta, scalesWindows }: RotaryFamily,
): JsonObject {
  const object = (name: string): JsonObject | undefined => {
    const value = settings.value(name);
    if (value === undefined || isJsonObject(value)) return value;
    throw settings.wrong("rope_parameters", "an object", value);
  };
  const [scaling, all] = [object("rope_scaling"), object("rope_parameters")];
  const hasTwo = localTheta !== undefined;
  const given = (hasTwo ? all : (scaling ?? all)) ?? {};
  const isNested = Object.values(given).some(isJsonObject);
  const types = settings.value("layer_types");
  if (isNested && !hasTwo && !(Array.isArray(types) && types.includes(type)))
    throw settings.wrong("rope_parameters", "one for all layers", given);
  if (hasTwo && !isNested && Object.keys(given).length > 0)
    throw settings.wrong("rope_parameters", "one a layer type", all);
  const own = isNested ? (given[type] ?? {}) : given;
  if (!isJsonObject(own)) throw settings.wrong("rope_parameters", `an object for ${type}`, own);
  const isScaled = hasTwo && (type === "full_attention" || scalesWindows);
  return { ...own, ...(isScaled && scaling) };
}

/** The parameters of a layer type, which must all be read. */
export class RopeParameters {
  readonly #settings: Settings;
  readonly #given: JsonObject;
  readonly #read = new Set(["rope_type", "type", "original_max_position_embeddings"]);

  constructor(settings: Settings, type: LayerType, family: RotaryFamily) {
    this.#settings = settings;
    this.#given = parametersOf(settings, type, family);
  }

  kind(): string {
    const kind = this.#given.rope_type ?? this.#given.type ?? "default";
    if (kind === "su" || (kind === "yarn" && this.#given.short_factor !== undefined)) return "longrope";
    return typeof kind === "string" ? kind : brief(kind);
  }

  number(name: string, otherwise?: number): number {
    this.#read.add(name);
    const value = this.#given[name] ?? otherwise;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.#settings.wrong(`rope_parameters.${name}`, "a number", value);
  }

  positive(name: string, otherwise?: number): number {
    const value = this.number(name, otherwise);
    if (value > 0) return value;
    throw this.#settings.wrong(`rope_parameters.${name}`, "a number above 0", value);
  }

  optional(name: string): number | undefined {
    this.#read.add(name);
    return this.#given[name] === undefined || this.#given[name] === null ? undefined : this.number(name);
  }

  flag(name: string, otherwise: boolean): boolean {
    this.#read.add(name);
    const value = this.#given[name] ?? otherwise;
    if (typeof value === "boolean") return value;
    throw this.#settings.wrong(`rope_parameters.${name}`, "true or false", value);
  }

  numbers(name: string, length: number): readonly number[] {
    this.#read.add(name);
    const value = this.#given[name];
    if (Array.isArray(value) && value.length === length && value.every((n) => typeof n === "number" && n > 0))
      return value;
    throw this.#settings.wrong(`rope_parameters.${name}`, `${length} positive numbers`, value);
  }

  finish(): void {
    for (const [name, value] of Object.entries(this.#given))
      if (value !== null && !this.#read.has(name))
        throw this.#settings.wrong(`rope_parameters.${name}`, "a parameter of its rope_type", value);
  }
}
