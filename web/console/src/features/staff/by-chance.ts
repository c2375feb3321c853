/** Letters that survive being read out: none that looks like another. */
const letters = 'abcdefghjkmnpqrstuvwxyz23456789';

/** Five groups of four: about 99 bits. */
export function byChance(): string {
  const pick = (n: number): string[] => {
    const out: string[] = [];
    while (out.length < n) {
      for (const b of crypto.getRandomValues(new Uint8Array(n))) {
        if (b < 256 - (256 % letters.length) && out.length < n) out.push(letters[b % letters.length]!); // no letter is likelier
      }
    }
    return out;
  };
  return Array.from({ length: 5 }, () => pick(4).join('')).join('-');
}
