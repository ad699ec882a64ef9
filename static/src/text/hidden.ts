// Characters that reorder or hide what stands around them, spelled out so that nobody is deceived.

const REORDERS = /[\u202A-\u202E\u2066-\u2069]/g;
// Joiners belong to emoji and to many scripts: only where a name is at stake they are shown too.
const HIDES = /[\u0000-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]/g;

const spelled = (character: string): string =>
  `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`;

/** A text in which every character that turns its neighbours around can be seen. */
export const spelledOut = (text: string): string => text.replace(REORDERS, spelled);

/** A name in which every character can be seen. */
export const spelledName = (name: string): string => name.replace(HIDES, spelled);

/** Whether something in it cannot be seen. */
export const hides = (text: string): boolean => text.search(HIDES) >= 0;
