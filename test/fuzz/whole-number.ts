/** A whole number of the command line. Throws TypeError for anything else. */
export function wholeNumber<K extends string>(options: Readonly<Record<K, unknown>>, name: K): number {
  const value = Number(options[name]);
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`--${name} takes a whole number`);
  return value;
}
