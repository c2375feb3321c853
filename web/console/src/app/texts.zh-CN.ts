export default import.meta.glob(['../../../shared/src/*/i18n.zh-CN.json', './i18n.zh-CN.json', '../ui/i18n.zh-CN.json', '../features/*/i18n.zh-CN.json'], { eager: true, import: 'default' });
