// One of a thing, or many: the only grammar that the English table needs.

export const several = (number: number, one: string, many: string): string =>
  number === 1 ? `1 ${one}` : `${number} ${many}`;
