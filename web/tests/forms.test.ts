import { describe, expect, test } from "vitest";
import { check } from "@/forms/check";
import { boundsOf, fieldsOf, initialValues, toSend } from "@/forms/schema";

// As pydantic writes the parameters of a grid and the limits.
const SCHEMA = {
  properties: {
    lower_price: { anyOf: [{ exclusiveMinimum: 0, type: "number" }, { type: "string" }], title: "Lowest price", description: "Bottom." },
    stop_loss: { anyOf: [{ exclusiveMinimum: 0, type: "number" }, { type: "string" }, { type: "null" }], default: null, title: "Stop loss" },
    levels: { type: "integer", default: 20, minimum: 1, maximum: 500, title: "Levels" },
    spacing: { type: "string", enum: ["arithmetic", "geometric"], default: "geometric", title: "Spacing" },
    reinvest: { type: "boolean", default: false, title: "Reinvest" },
    capital: { type: "object", additionalProperties: { anyOf: [{ type: "number" }, { type: "string" }] }, title: "Capital" },
  },
  required: ["lower_price"],
};
const fields = fieldsOf(SCHEMA);

describe("a form drawn from a JSON Schema", () => {
  test("knows the kind of each field", () => {
    expect(fields.map((one) => one.kind)).toEqual(["decimal", "decimal", "integer", "choice", "boolean", "amounts"]);
  });
  test("says the bounds in signs", () => expect(fields.map(boundsOf).slice(0, 3)).toEqual(["> 0", "> 0", "1 – 500"]));
  test("begins with what is there, else with the defaults", () => {
    expect(initialValues(fields, { levels: 5 })).toMatchObject({ levels: 5, spacing: "geometric", reinvest: false });
  });
  test("sends money as it was typed, and nothing for an empty field", () => {
    expect(toSend({ lower_price: "0.10000000000000000001", stop_loss: "", levels: 20, capital: undefined })).toEqual({
      lower_price: "0.10000000000000000001", levels: 20,
    });
  });
  test.each([
    [{}, { lower_price: "missing" }],
    [{ lower_price: "abc" }, { lower_price: "notDecimal" }],
    [{ lower_price: "1e5" }, { lower_price: "notDecimal" }],
    [{ lower_price: "0" }, { lower_price: "outOfBounds" }],
    [{ lower_price: "1", levels: "2.5" }, { levels: "notWhole" }],
    [{ lower_price: "1", levels: 501 }, { levels: "outOfBounds" }],
    [{ lower_price: "1", levels: 500 }, {}],
  ])("finds in %o: %o", (values, complaints) => expect(check(fields, values)).toEqual(complaints));
});
