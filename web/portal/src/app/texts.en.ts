export default import.meta.glob(['../../../shared/src/*/i18n.en.json', '../frame/i18n.en.json', '../features/*/i18n.en.json'], { eager: true, import: 'default' });
