/** A card in a tier's colour: the colour itself, and text on it that can be read (WCAG 2.2, 4.5:1 at least). */
export function cardColors(color: string | undefined): { ground: string; text: string } | undefined {
  const hex = /^#([0-9a-f]{6})$/i.exec(color ?? '')?.[1];
  if (!hex) return undefined;
  const [r, g, b] = [0, 2, 4].map((i) => {
    const v = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const onWhite = 1.05 / (light + 0.05);
  const onInk = (light + 0.05) / (0.0129 + 0.05); // #241B22
  const text = onWhite >= 4.5 ? '#FFFFFF' : onInk >= 4.5 ? '#241B22' : '#000000'; // one of white and black always bears 4.58
  return { ground: `#${hex}`, text };
}
