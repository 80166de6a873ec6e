// What examples/service tells Home Assistant, beside the schema of MQTT discovery as Home Assistant 2026.9 has it (schemas.py, sensor.py,
// binary_sensor.py and button.py of homeassistant/components/mqtt), and the messages that its templates make states of.

import { Template } from "@huggingface/jinja";
import { describe, expect, test } from "vitest";

interface Facts {
  readonly [name: string]: unknown;
  readonly unique_id: string;
  readonly default_entity_id: string;
  readonly value_template: string;
}
const { discovery } = (await import(
  new URL("../../examples/service/discovery.js", import.meta.url).href
)) as {
  discovery(of: object): [topic: string, facts: Facts][];
};

const COMMON =
  "name unique_id default_entity_id device origin icon entity_picture entity_category enabled_by_default visible_by_default message_expiry_interval availability availability_mode availability_topic availability_template payload_available payload_not_available json_attributes_topic json_attributes_template qos encoding";

/** Options that each component has to have, and may have. Home Assistant drops others without a word. */
const COMPONENTS: Readonly<Record<string, { readonly needs: string; readonly takes: string }>> = {
  sensor: {
    needs: "state_topic",
    takes:
      "value_template device_class expire_after force_update last_reset_value_template options state_class suggested_display_precision unit_of_measurement",
  },
  binary_sensor: {
    needs: "state_topic",
    takes: "value_template device_class expire_after force_update off_delay payload_off payload_on",
  },
  button: { needs: "command_topic", takes: "command_template device_class payload_press retain" },
};

const names = ["frame", "result", "correction", "ack", "command", "state", "availability"];
const topics = Object.fromEntries(names.map((name) => [name, `octette/Cam-1/${name}`]));
const classes = ["zero", "one"];
const found = (known: readonly string[] | undefined) => discovery({ id: "Cam-1", topics, classes: known });

describe.each([
  ["with names of classes", classes],
  ["without", undefined],
])("a service %s", (_, known) => {
  test("tells of each component what the schema asks for, and nothing that it does not know", () => {
    for (const [topic, facts] of found(known)) {
      const kind = /^homeassistant\/(\w+)\/[a-zA-Z0-9_-]+\/[a-zA-Z0-9_-]+\/config$/.exec(topic)![1]!;
      const { needs, takes } = COMPONENTS[kind]!;
      const allowed = `${COMMON} ${needs} ${takes}`.split(" ");
      expect(Object.keys(facts).filter((name) => !allowed.includes(name))).toEqual([]);
      for (const name of needs.split(" ")) expect(Object.values(topics)).toContain(facts[name]);
      expect(facts.availability_topic).toBe(topics.availability);
      expect(facts.default_entity_id).toMatch(new RegExp(`^${kind}\\.[a-z0-9]+(_[a-z0-9]+)*$`));
      expect(facts.device).toMatchObject({ identifiers: ["Cam-1"], name: "Cam-1" });
      expect(facts.origin).toMatchObject({ name: expect.stringMatching(/./) });
      for (const [name, value] of Object.entries(facts))
        if (name.endsWith("_topic")) expect(value).toMatch(/^[^#+$][^#+]*$/);
      // Only an enum has options, at least one, and neither a unit nor a state class.
      expect(facts.options !== undefined).toBe(facts.device_class === "enum");
      if (facts.options)
        expect([facts.state_class, facts.unit_of_measurement]).toEqual([undefined, undefined]);
    }
    const ids = found(known).map(([, facts]) => facts.unique_id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("has templates that make states of its messages", () => {
    const stateOf = (id: string, value_json: object) => {
      const [, facts] = found(known).find(([, { unique_id }]) => unique_id === id)!;
      return new Template(facts.value_template).render({ value_json });
    };
    const result = { index: 1, probability: 0.98, ms: 1.2, ...(known && { class: "one" }) };
    expect(stateOf("Cam-1_class", result)).toBe(known ? "one" : "1");
    // Home Assistant takes it as unknown.
    expect(stateOf("Cam-1_class", { error: "does not fit" })).toBe("None");
    const state = { learning: true, samples: 12, outcome: `failed: ${"x".repeat(300)}` };
    expect(stateOf("Cam-1_samples", state)).toBe("12");
    expect(stateOf("Cam-1_learning", state)).toBe("ON");
    expect(stateOf("Cam-1_learning", { ...state, learning: false })).toBe("OFF");
    expect(stateOf("Cam-1_outcome", state)).toHaveLength(255);
  });
});
