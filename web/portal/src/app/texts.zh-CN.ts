export default import.meta.glob(['../../../shared/src/*/i18n.zh-CN.json', '../frame/i18n.zh-CN.json', '../features/*/i18n.zh-CN.json'], { eager: true, import: 'default' });
