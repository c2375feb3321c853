/** Chinese family names of two characters; all others have one. */
const double = new Set(['欧阳', '司马', '上官', '诸葛', '东方', '皇甫', '尉迟', '公孙', '慕容', '令狐', '司徒', '夏侯', '南宫', '端木', '百里', '东郭', '西门', '独孤', '长孙', '宇文']);

/** How a shop that knows somebody calls them: 林静怡 is 静怡, Anna Weber is Anna. */
export function givenName(name: string): string {
  const whole = name.trim();
  if (!/^\p{Script=Han}+$/u.test(whole)) return whole.split(/\s+/)[0] ?? '';
  const chars = [...whole];
  if (chars.length >= 4 && double.has(chars.slice(0, 2).join(''))) return chars.slice(2).join('');
  return chars.length === 3 ? chars.slice(double.has(chars.slice(0, 2).join('')) ? 0 : 1).join('') : whole;
}

/** Which part of the day it is for the guest, by their own clock. */
export function partOfDay(hour: number): 'morning' | 'noon' | 'afternoon' | 'evening' {
  if (hour >= 5 && hour < 11) return 'morning';
  if (hour >= 11 && hour < 13) return 'noon';
  return hour >= 13 && hour < 18 ? 'afternoon' : 'evening';
}
