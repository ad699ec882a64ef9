// Numbers, sizes, money and times as people read them in English.

export function count(number: number): string {
  if (number < 1000) return String(number);
  if (number < 999_500) return `${(number / 1000).toFixed(number < 9_950 ? 1 : 0)}k`;
  return `${(number / 1e6).toFixed(1)}M`;
}

function bytes(size: number): string {
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${Math.round(size / 1024)} KB`;
  return `${(size / 1024 / 1024).toFixed(1)} MB`;
}

export function seconds(value: number): string {
  if (value < 9.95) return `${value.toFixed(1)} s`;
  if (value < 59.5) return `${Math.round(value)} s`;
  const whole = Math.round(value);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function money(usd: number): string {
  if (usd === 0) return '$0';
  if (usd < 0.001) return '<$0.001';
  return `$${usd < 1 ? usd.toFixed(3) : usd.toFixed(2)}`;
}

/** How long ago, for lists: a clock that is behind the server's says "now". */
function ago(at: string, now: number): string {
  const minutes = Math.max(0, (now - Date.parse(at)) / 60_000);
  if (minutes < 1) return 'now';
  if (minutes < 60) return `${Math.floor(minutes)} min`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h`;
  if (minutes < 7 * 24 * 60) return `${Math.floor(minutes / 24 / 60)} d`;
  const day = new Date(at);
  return `${MONTHS[day.getMonth()]} ${day.getDate()}`;
}

/** The moment itself, for those who point at "5 min". The browser's own formats take 20 ms to load. */
function moment(at: string): string {
  const then = new Date(at);
  if (Number.isNaN(then.getTime())) return '';
  const [hour, minute] = [then.getHours(), then.getMinutes()];
  const clock = `${hour % 12 || 12}:${String(minute).padStart(2, '0')} ${hour < 12 ? 'AM' : 'PM'}`;
  return `${MONTHS[then.getMonth()]} ${then.getDate()}, ${then.getFullYear()}, ${clock}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

const percent = (part: number, whole: number): number =>
  whole > 0 ? Math.min(100, Math.round((100 * part) / whole)) : 0;

export const amountWords = { count, bytes, seconds, money, ago, moment, percent } as const;
