import { createInstance, type ResourceKey } from 'i18next';
import { initReactI18next } from 'react-i18next';

/** The languages, in the order of the switch. Each names itself. */
export const languages = { 'zh-CN': '简体中文', en: 'English' } as const;
export type Language = keyof typeof languages;

/** What `import.meta.glob('…/i18n.en.json', { eager: true, import: 'default' })` gives: texts by path. */
type Files = Record<string, unknown>;
/** For each language a module whose default is its files; fetched when the language shows. */
export type Texts = Record<Language, () => Promise<{ default: Files }>>;

const key = 'patron.language';
export const i18n = createInstance();

let texts: Texts;

/** In the middle of a sentence a day is written small: `since today 14:05`. */
export const midway = {
  type: 'postProcessor' as const,
  name: 'midway',
  process: (said: string) => (typeof said === 'string' ? said.replace(/(?<=[a-z,] )(Today|Tomorrow)(?= \d\d:\d\d)/g, (day) => day.toLowerCase()) : said),
};

/** Starts with the language that was chosen, else the browser's, else English. */
export async function startI18n(found: Texts): Promise<void> {
  texts = found;
  const lng = preferred();
  await i18n.use(initReactI18next).use(midway).init({
    lng,
    fallbackLng: false, // the check of keys sees to it that none is missing
    resources: { [lng]: await load(lng) },
    postProcess: [midway.name],
    interpolation: { escapeValue: false }, // React escapes
    react: { useSuspense: false },
  });
  document.documentElement.lang = lng;
}

/** Changes the language of everything that shows, and keeps the choice. */
export async function chooseLanguage(lng: Language): Promise<void> {
  for (const [ns, bundle] of Object.entries(await load(lng))) i18n.addResourceBundle(lng, ns, bundle);
  localStorage.setItem(key, lng);
  document.documentElement.lang = lng;
  await i18n.changeLanguage(lng);
}

export const isLanguage = (word: string | null): word is Language => word !== null && word in languages;

function preferred(): Language {
  const kept = localStorage.getItem(key);
  if (isLanguage(kept)) return kept;
  return navigator.languages.find((l) => /^(zh|en)\b/i.test(l))?.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
}

/** A namespace is the folder that its file lies in: features/members/i18n.en.json is `members`. */
async function load(lng: Language): Promise<Record<string, ResourceKey>> {
  const { default: files } = await texts[lng]();
  return Object.fromEntries(Object.entries(files).map(([path, keys]) => [path.split('/').at(-2)!, keys as ResourceKey]));
}
