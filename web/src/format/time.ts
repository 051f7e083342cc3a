/** Moments for people: in the zone the node was told to show, which is named beside every clock time. */

export function formatMoment(iso: string, locale: string, timeZone: string): string {
  return new Intl.DateTimeFormat(locale, { timeZone, dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" }).format(
    new Date(iso),
  );
}

export function formatClock(iso: string, locale: string, timeZone: string): string {
  return new Intl.DateTimeFormat(locale, {
    timeZone, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  }).format(new Date(iso));
}

const STEPS = [
  { unit: "day", seconds: 86_400 },
  { unit: "hour", seconds: 3_600 },
  { unit: "minute", seconds: 60 },
  { unit: "second", seconds: 1 },
] as const;

/** 7_261_000 -> "2 h"; below a second in tenths, because a lease is that fresh. */
export function formatAge(milliseconds: number, locale: string): string {
  const seconds = Math.max(milliseconds, 0) / 1000;
  const step = STEPS.find((one) => seconds >= one.seconds) ?? STEPS[3];
  const count = seconds < 10 ? Math.round(seconds * 10) / 10 : Math.floor(seconds / step.seconds);
  return new Intl.NumberFormat(locale, { style: "unit", unit: step.unit, unitDisplay: "narrow" }).format(count);
}
