import { Select, type SelectProps } from 'antd';
import { useMemo } from 'react';

/** The time zones that the browser knows, each with its distance from UTC today. */
export function ZoneSelect(props: Omit<SelectProps<string>, 'options' | 'showSearch'>) {
  const options = useMemo(() => zones().map((zone) => ({ value: zone, label: `${zone.replaceAll('_', ' ')}  ${distance(zone)}` })), []);
  return <Select {...props} showSearch={{ optionFilterProp: 'label' }} options={options} />;
}

const zones = () => [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC'])];

function distance(zone: string): string {
  const parts = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(new Date());
  return parts.find((p) => p.type === 'timeZoneName')?.value ?? '';
}
