// Where links may lead, and what is said about it.

import { hides, spelledName } from './hidden.ts';

const SCHEMES = new Set(['http:', 'https:', 'mailto:']);
const OF_OTHER_SCRIPTS = /(?:^|[.@])xn--/; // whose letters may look like others
const LONGEST = 2_000;

/** The address of a link that may be followed; null for every other. */
export function address(href: string): URL | null {
  if (href.length > LONGEST) return null;
  const url = parsed(href);
  return url && SCHEMES.has(url.protocol) ? url : null;
}

/** The place that a link leads to, when its words do not say so themselves. */
export function unsaidPlace(target: URL, words: string): string | null {
  const place = target.protocol === 'mailto:' ? target.pathname : target.host;
  const said = words.trim();
  if (hides(said) || OF_OTHER_SCRIPTS.test(place)) return place;
  if (said.toLowerCase() === place.toLowerCase()) return null;
  const named = parsed(said) ?? parsed(`https://${said}`);
  return named?.host === target.host && target.host !== '' ? null : spelledName(place);
}

const parsed = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null);
