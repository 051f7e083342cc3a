import { describe, expect, test } from "vitest";
import { check } from "@/forms/check";
import { fundingsOf, MOST_FUNDINGS, readValues } from "@/forms/fundings";
import { boundsOf, fieldsOf, initialValues, toSend } from "@/forms/schema";
import { badTier, EMPTY_TIER, tiersOf, tiersToSend } from "@/forms/tiers";

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
  test("says the bounds in signs", () => expect(fields.map(boundsOf).slice(0, 3).map((one) => one.replaceAll("\u00a0", " ").replaceAll("\u2060", ""))).toEqual(["> 0", "> 0", "1 – 500"]));
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

describe("recorded fundings", () => {
  const read = (text: string) => readValues(text, "BTCUSDT");
  test("are those of the symbol, to the nearest minute, small rates written out, with mark prices of the same moment", () => {
    const rates = read("symbol,time,value\nBTCUSDT,1672621200003,0.0001\nETHUSDT,1672621200000,9\nBTCUSDT,1672592400000,-1.5e-05\n\n");
    const marks = read("\uFEFFtime,symbol,value\r\n1672621199990,BTCUSDT,16500.5\r\n");
    if ("wrong" in rates || "wrong" in marks) throw new Error("they can be read");
    expect(fundingsOf(rates.values, marks.values)).toEqual([{ time_ms: 1_672_592_400_000, rate: "-0.000015" }, { time_ms: 1_672_621_200_000, rate: "0.0001", mark: "16500.5" }]);
  });
  test.each([
    ["a,b,c\n1,2,3", { wrong: "badLine", line: 1 }], ["symbol,time,value\nBTCUSDT,soon,0.1", { wrong: "badLine", line: 2 }], ["symbol,time,value\n\nBTCUSDT,1672621200000,much", { wrong: "badLine", line: 3 }],
    ["symbol,time,value\nETHUSDT,1672621200000,0.1", { wrong: "noSymbol" }],
  ])("%j cannot be taken", (text, wrong) => expect(read(text)).toEqual(wrong));
  test("are no more than the node takes", () => {
    const lines = Array.from({ length: MOST_FUNDINGS + 1 }, (_, at) => `BTCUSDT,${1_672_617_600_000 + 60_000 * at},0.0001`);
    expect(read(["symbol,time,value", ...lines].join("\n"))).toEqual({ wrong: "tooMany", count: MOST_FUNDINGS + 1 });
  });
});

test("tiers are sent as they were typed, and the first that cannot be read is named", () => {
  const tiers = tiersOf([{ up_to: "50000", maintenance_percent: "0.4", leverage: 125 }, { up_to: "250000", maintenance_percent: "0.5" }]);
  expect(tiersToSend(tiers)).toEqual([{ up_to: "50000", maintenance_percent: "0.4", leverage: 125 }, { up_to: "250000", maintenance_percent: "0.5" }]);
  expect([badTier(tiers), badTier([...tiers, { ...EMPTY_TIER, up_to: "9" }])]).toEqual([undefined, 3]);
});
