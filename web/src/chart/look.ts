/** The chart in the colours of the page. */
import type { DeepPartial, Styles } from "klinecharts";

const variable = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function colours() {
  return { buy: variable("--accent"), sell: variable("--warn"), ground: variable("--panel") };
}

export function look(): DeepPartial<Styles> {
  const [rise, fall, line, soft, text, panel] =
    ["--candle-rise", "--candle-fall", "--line", "--text-soft", "--text", "--panel"].map(variable) as [string, string, string, string, string, string];
  const axis = { axisLine: { color: line }, tickLine: { color: line }, tickText: { color: soft } };
  const cross = { line: { color: soft }, text: { backgroundColor: soft, borderColor: soft, color: panel } };
  return {
    grid: { horizontal: { color: line, style: "dashed" }, vertical: { show: false } },
    candle: {
      bar: {
        upColor: rise, downColor: fall, noChangeColor: soft, upBorderColor: rise, downBorderColor: fall, noChangeBorderColor: soft,
        upWickColor: rise, downWickColor: fall, noChangeWickColor: soft,
      },
      priceMark: { last: { upColor: rise, downColor: fall, noChangeColor: soft }, high: { color: soft }, low: { color: soft } },
      tooltip: { showRule: "follow_cross", title: { show: false }, legend: { color: text } },
    },
    indicator: { tooltip: { showRule: "none" } },
    xAxis: axis, yAxis: axis,
    separator: { color: line },
    crosshair: { horizontal: cross, vertical: cross },
  };
}
