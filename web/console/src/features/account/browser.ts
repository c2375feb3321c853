const browsers = [['Edg/', 'Edge'], ['MicroMessenger/', 'WeChat'], ['Firefox/', 'Firefox'], ['Chrome/', 'Chrome'], ['Safari/', 'Safari']] as const;
const systems = [['iPhone', 'iPhone'], ['iPad', 'iPad'], ['HarmonyOS', 'HarmonyOS'], ['Android', 'Android'], ['Windows', 'Windows'], ['Mac OS X', 'macOS'], ['Linux', 'Linux']] as const;

/** A browser's own description in two words: `Chrome, Windows`. Empty where it says nothing known. */
export function browserOf(userAgent: string): string {
  const first = (table: readonly (readonly [string, string])[]) => table.find(([mark]) => userAgent.includes(mark))?.[1];
  return [first(browsers), first(systems)].filter(Boolean).join(', ') || userAgent.split(/[ /]/)[0] || '';
}
