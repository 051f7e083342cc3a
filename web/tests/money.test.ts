import { describe, expect, test } from "vitest";
import { compare, formatAmount, formatExact, formatPercent, formatPrice, formatSigned, pricePlaces, shownSign, sign, unsigned } from "@/format/money";

describe("a decimal string shown to people", () => {
  test.each([
    ["1234567.891", 2, "1,234,567.89"],
    ["0.999999", 2, "0.99"],
    ["-0.004", 2, "0.00"],
    ["-1234.5", 2, "−1,234.50"],
    ["123456789012345678901234567890.123456789012345678", 18, "123,456,789,012,345,678,901,234,567,890.123456789012345678"],
    ["1.2E-7", 8, "0.00000012"],
    ["-5E+3", 0, "−5,000"],
    ["0007.5", 1, "7.5"],
  ])("keeps the digits of %s at %i places", (value, places, shown) => expect(formatAmount(value, places)).toBe(shown));

  test("drops only zeros when shown exactly", () => {
    expect(formatExact("0.050000000000000000")).toBe("0.05");
    expect(formatExact("100")).toBe("100");
    expect(formatExact("-0.0")).toBe("0");
  });

  test("says a gain by a sign, and nothing at zero", () => {
    expect(formatSigned("3.5", 2)).toBe("+3.50");
    expect(formatSigned("-3.5", 2)).toBe("−3.50");
    expect(formatSigned("0.000", 2)).toBe("0.00");
    expect([formatSigned("-0.004", 2), shownSign("-0.004", 2)]).toEqual(["0.00", 0]);
    expect([formatSigned("0.004", 2), shownSign("-1234.5", 2)]).toEqual(["0.00", -1]);
    expect([sign("-0.00"), sign("-0.01"), sign("1")]).toEqual([0, -1, 1]);
  });

  test("never hides digits of a price", () => {
    expect(formatPrice("64312.7", 2)).toBe("64,312.70");
    expect(formatPrice("64312.705", 2)).toBe("64,312.705");
    expect(pricePlaces("64312.70")).toBe(2);
    expect(pricePlaces("0.00001234")).toBe(8);
  });

  test("is a percent by moving its point, however small it is", () => {
    expect([formatPercent("0.0525"), formatPercent("-0.00012", 3), formatPercent("1.2E-7", 6), formatPercent("0")]).toEqual(["5.25 %", "−0.012 %", "0.000012 %", "0.00 %"]);
    expect([unsigned("-0.5"), unsigned("2")]).toEqual(["0.5", "2"]);
  });

  test("is ordered by its digits, where floats would see no difference", () => {
    expect(compare("9007199254740993.1", "9007199254740993.2")).toBeLessThan(0);
    expect(compare("10", "9.99")).toBeGreaterThan(0);
    expect(compare("1.50", "1.5")).toBe(0);
    expect(compare("-2", "-1")).toBeLessThan(0);
    expect(compare("-1", "1")).toBeLessThan(0);
  });
});
