import { Table, type TableProps } from 'antd';

// A part that scrolls has to be reached by the keyboard; Ant Design's has no name for it.
const reachable = (box: HTMLDivElement | null) => box?.querySelector('.ant-table-content')?.setAttribute('tabindex', '0');

/** A table as we have them: whole rows on a hairline, no pages of its own, sideways scrolling where it is narrow. */
export function WideTable<T extends object>(props: TableProps<T>) {
  return <div ref={reachable}><Table<T> size="middle" pagination={false} scroll={{ x: 'max-content' }} {...props} /></div>;
}
