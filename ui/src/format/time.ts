/** Times come as UTC with nanoseconds. The screen shows the zone of the user; the exact UTC stands behind it. */

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" });

/** `14:03:07.482` today, with the date before it on other days. */
export function time(iso: string | null | undefined, now: Date = new Date()): string {
  if (iso === null || iso === undefined) return "";
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const ms = (/\.(\d{1,3})/.exec(iso)?.[1] ?? "0").padEnd(3, "0");
  const text = `${clock.format(date)}.${ms}`;
  return day.format(date) === day.format(now) ? text : `${day.format(date)} ${text}`;
}

export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The exact time, for whom the shown one is not enough. */
export function utc(iso: string): string {
  return `${iso.replace("T", " ").replace("Z", "")} UTC`;
}

export function age(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`;
}
