/** Times as people read them, in their own language and zone. */
const time = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const fullDate = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const exact = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});

const DAY = 24 * 60 * 60 * 1_000;

export function timeText(iso: string): string {
  return time.format(new Date(iso));
}

/** With day and seconds. */
export function fullTimeText(iso: string): string {
  return fullTime.format(new Date(iso));
}

/** With milliseconds. */
export function exactTimeText(at: number): string {
  return exact.format(at);
}

/** Today the time, in the last week the day, else the date. */
export function shortDateText(iso: string): string {
  const then = new Date(iso);
  const days = daysAgo(then);
  return (days <= 0 ? time : days < 7 ? weekday : date).format(then);
}

export function dayText(iso: string): string {
  const then = new Date(iso);
  const days = daysAgo(then);
  return days === 0 ? "Today" : days === 1 ? "Yesterday" : fullDate.format(then);
}

export function isSameDay(one: string, other: string): boolean {
  return startOfDay(new Date(one)) === startOfDay(new Date(other));
}

function daysAgo(then: Date): number {
  return Math.round((startOfDay(new Date()) - startOfDay(then)) / DAY);
}

function startOfDay(then: Date): number {
  return new Date(then.getFullYear(), then.getMonth(), then.getDate()).getTime();
}
