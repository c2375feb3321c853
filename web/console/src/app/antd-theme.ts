import { fixed, palette, type ThemeName } from '@patron/shared/theme/tokens.ts';
import { theme, type MappingAlgorithm, type ThemeConfig } from 'antd';

/**
 * Ant Design in our colours. Its algorithms compute the seed colours anew, most of all the dark one, so
 * ours calls theirs and then puts back what the table says; everything else is a plain token.
 * Nothing moves for who does not want it: shortened to nothing, an animation may end before Ant
 * Design waits for its end, and what it opens would stay as if it were still opening.
 */
export function antdTheme(name: ThemeName, still: boolean): ThemeConfig {
  const c = palette(name);
  const base = name === 'dark' ? theme.darkAlgorithm : theme.defaultAlgorithm;
  const algorithm: MappingAlgorithm = (seed, map) => ({
    ...base(seed, map),
    colorPrimary: c.primary,
    colorSuccess: c.success,
    colorWarning: c.warning,
    colorError: c.error,
    colorInfo: c.info,
    colorLink: c.primary,
  });
  return {
    algorithm,
    hashed: false,
    token: {
      colorPrimary: c.primary,
      colorPrimaryHover: c['primary-hover'],
      colorPrimaryActive: c['primary-active'],
      colorPrimaryBg: c['primary-bg'],
      colorPrimaryBgHover: c['primary-bg-hover'],
      colorPrimaryBorder: c['primary-border'],
      colorLink: c.primary,
      colorLinkHover: c['primary-hover'],
      colorLinkActive: c['primary-active'],
      colorSuccess: c.success,
      colorSuccessBg: c['success-bg'],
      colorSuccessBorder: c['success-border'],
      colorWarning: c.warning,
      colorWarningBg: c['warning-bg'],
      colorWarningBorder: c['warning-border'],
      colorError: c.error,
      colorErrorBg: c['error-bg'],
      colorErrorBorder: c['error-border'],
      colorErrorHover: c['error-hover'],
      colorErrorActive: c['error-active'],
      colorInfo: c.info,
      colorInfoBg: c['info-bg'],
      colorInfoBorder: c['info-border'],

      colorBgLayout: c['bg-layout'],
      colorBgContainer: c['bg-container'],
      colorBgElevated: c['bg-elevated'],
      colorFillQuaternary: c['bg-sunken'],
      colorFillAlter: c['bg-sunken'],
      controlItemBgHover: c['bg-hover'],
      controlItemBgActive: c['primary-bg'],
      colorBgSpotlight: c['bg-spotlight'],
      colorText: c.text,
      colorTextSecondary: c['text-2'],
      colorTextTertiary: c['text-3'],
      colorTextPlaceholder: c['text-3'],
      colorTextDescription: c['text-3'],
      colorTextQuaternary: c['text-4'],
      colorTextLightSolid: c['on-solid'],
      colorBorder: c.border,
      colorBorderSecondary: c.rule,
      colorSplit: c.rule,

      fontFamily: 'var(--font)',
      fontFamilyCode: fixed.mono,
      fontSize: 14,
      lineHeight: 22 / 14,
      fontWeightStrong: 600,
      borderRadiusSM: 4,
      borderRadius: 6,
      borderRadiusLG: 10,
      controlHeightSM: 28,
      controlHeight: 36,
      controlHeightLG: 48,
      boxShadow: c.pop,
      boxShadowSecondary: c.pop,
      motion: !still,
      motionDurationFast: '0.12s',
      motionDurationMid: '0.2s',
      motionDurationSlow: '0.2s',
      wireframe: false,
    },
    components: {
      Button: { fontWeight: 500, primaryShadow: 'none', defaultShadow: 'none', dangerShadow: 'none', colorBgContainerDisabled: c['bg-hover'] },
      Form: { itemMarginBottom: 20, labelColor: c.text, verticalLabelPadding: '0 0 4px' },
      Table: {
        headerBg: 'transparent',
        headerColor: c['text-3'],
        headerSplitColor: 'transparent',
        borderColor: c.rule,
        rowHoverBg: c['bg-hover'],
        cellPaddingInline: 12,
        cellPaddingBlock: 10,
      },
      Modal: { boxShadow: c.modal, titleFontSize: 16 },
      Drawer: { paddingLG: 24 },
      Tooltip: { fontSize: 12 },
    },
  };
}
