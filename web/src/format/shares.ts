/** Chances, shares and scores: numbers that are no amounts. */

/** 0.6123 -> "61.2 %"; a result is told with its sign and one digit more. */
export function percent(share: number, isResult = false): string {
  const text = Math.abs(share * 100).toFixed(isResult ? 2 : 1);
  return isResult ? `${sign(share, text)}${text} %` : `${text} %`;
}

/** 1.234 -> "+1.23". */
export function signed(value: number): string {
  const text = Math.abs(value).toFixed(2);
  return `${sign(value, text)}${text}`;
}

const sign = (value: number, text: string) => (/[1-9]/.test(text) ? (value < 0 ? "−" : "+") : "");
