/** What a person types, as the API names members: a phone, an e-mail address, a member number, an id or a card. */
export function refOf(text: string): string {
  const typed = text.trim();
  if (/^[a-z]+:/.test(typed) || typed.startsWith('mem_')) return typed;
  if (typed.includes('@')) return `email:${typed}`;
  if (/^8\d{6}$/.test(typed)) return `no:${typed}`;
  if (/^\+?[\d\s-]{7,16}$/.test(typed)) return `phone:${typed}`;
  return `card:${typed}`;
}
