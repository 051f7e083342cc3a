/** Resting levels and fills, drawn by one indicator over what is visible; one overlay each would be slow. */
import { registerIndicator, type IndicatorDrawParams } from "klinecharts";
import { formatPrice } from "@/format/money";

export interface Level {
  side: string;
  price: string;
}
export interface Mark {
  side: string;
  price: string;
  time: number;
}
export interface Drawn {
  levels: Level[];
  marks: Mark[];
  places: number;
  colours: { buy: string; sell: string; ground: string };
}

export const ORDERS = "ARES_ORDERS";
/** So many levels on either side of the price are always in view. */
const NEAREST = 4;
const LABEL_HEIGHT = 14;

type Params = IndicatorDrawParams<unknown, unknown, Drawn>;

export function registerOrders(): void {
  registerIndicator<unknown, unknown, Drawn>({ name: ORDERS, shortName: "", calc: (bars) => bars.map(() => ({})), draw });
}

function draw(params: Params): boolean {
  const drawn = params.indicator.extendData;
  if (!drawn) return true;
  let lastLabel = Number.NEGATIVE_INFINITY;
  for (const level of drawn.levels) {
    const y = Math.round(params.yAxis.convertToPixel(Number(level.price))) + 0.5;
    if (y < 0 || y > params.bounding.height) continue;
    drawLine(params, y, level.side === "buy" ? drawn.colours.buy : drawn.colours.sell);
    if (Math.abs(y - lastLabel) < LABEL_HEIGHT) continue;
    drawLabel(params, y, level, drawn);
    lastLabel = y;
  }
  drawn.marks.forEach((mark) => drawMark(params, mark, drawn.colours));
  return true;
}

function drawLine({ ctx, bounding }: Params, y: number, colour: string): void {
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.globalAlpha = 0.6;
  ctx.setLineDash([4, 4]);
  ctx.beginPath();
  ctx.moveTo(0, y);
  ctx.lineTo(bounding.width, y);
  ctx.stroke();
  ctx.restore();
}

function drawLabel({ ctx, bounding }: Params, y: number, { side, price }: Level, { places, colours }: Drawn): void {
  const text = `${side === "buy" ? "▲" : "▼"} ${formatPrice(price, places)}`;
  ctx.save();
  ctx.font = "11px system-ui, sans-serif";
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.fillStyle = colours.ground;
  const width = ctx.measureText(text).width + 8;
  ctx.fillRect(bounding.width - width - 2, y - LABEL_HEIGHT / 2, width, LABEL_HEIGHT);
  ctx.fillStyle = side === "buy" ? colours.buy : colours.sell;
  ctx.fillText(text, bounding.width - 6, y);
  ctx.restore();
}

function drawMark({ ctx, chart, yAxis, bounding }: Params, mark: Mark, colours: Drawn["colours"]): void {
  const { x } = chart.convertToPixel({ timestamp: mark.time }, { paneId: "candle_pane" }) as { x?: number };
  const y = yAxis.convertToPixel(Number(mark.price));
  if (x === undefined || x < 0 || x > bounding.width || y < 0 || y > bounding.height) return;
  const down = mark.side === "buy" ? 1 : -1;
  ctx.save();
  ctx.fillStyle = mark.side === "buy" ? colours.buy : colours.sell;
  ctx.strokeStyle = colours.ground;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x - 6, y + 10 * down);
  ctx.lineTo(x + 6, y + 10 * down);
  ctx.closePath();
  ctx.fill();
  ctx.stroke();
  ctx.restore();
}

/** The lowest and the highest price that should be in view: those of the levels next to the price. */
export function nearestBounds(levels: Level[]): { minValue: number | null; maxValue: number | null } {
  const prices = (side: string) => levels.filter((one) => one.side === side).map((one) => Number(one.price));
  const buys = prices("buy").sort((one, other) => other - one).slice(0, NEAREST);
  const sells = prices("sell").sort((one, other) => one - other).slice(0, NEAREST);
  return { minValue: buys.at(-1) ?? null, maxValue: sells.at(-1) ?? null };
}
