/** Times as people read them: in the page's language, as it is written where they are, and in their zone. */
const language = document.documentElement.lang || "en";
/** The first of the reader's own that is of the page's language: `en-GB` on an English page. */
const locale = navigator.languages.find((wanted) => wanted.split("-")[0] === language) ?? language;
const time = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(locale, { weekday: "short" });
const date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const fullDate = new Intl.DateTimeFormat(locale, { dateStyle: "full" });
const fullTime = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" });
const exact = new Intl.DateTimeFormat(locale, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});

const DAY = 24 * 60 * 60 * 1_000;

export function timeText(iso: string): string {
  return formatted(time, new Date(iso));
}

/** With day and seconds. */
export function fullTimeText(iso: string): string {
  return formatted(fullTime, new Date(iso));
}

/** With milliseconds. */
export function exactTimeText(at: number): string {
  return exact.format(at);
}

/** Today the time, in the last week the day, else the date. */
export function shortDateText(iso: string): string {
  const then = new Date(iso);
  const days = daysAgo(then);
  return formatted(days <= 0 ? time : days < 7 ? weekday : date, then);
}

export function dayText(iso: string): string {
  const then = new Date(iso);
  const days = daysAgo(then);
  return days === 0 ? "Today" : days === 1 ? "Yesterday" : formatted(fullDate, then);
}

export function isSameDay(one: string, other: string): boolean {
  return startOfDay(new Date(one)) === startOfDay(new Date(other));
}

/** What is no time, as a later release of the server may say, is left out. */
function formatted(format: Intl.DateTimeFormat, at: Date): string {
  return Number.isNaN(at.getTime()) ? "" : format.format(at);
}

function daysAgo(then: Date): number {
  return Math.round((startOfDay(new Date()) - startOfDay(then)) / DAY);
}

function startOfDay(then: Date): number {
  return new Date(then.getFullYear(), then.getMonth(), then.getDate()).getTime();
}
