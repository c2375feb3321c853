import { Form, Input, Modal } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ChangeList, type Change } from './change-list.tsx';
import { ProblemForm } from './problem-form.tsx';
import { useLast } from './use-last.ts';
import { typing } from './typing.ts';

interface Props {
  open: boolean;
  /** The act with its amount: 给林静怡补 200 分？ */
  title: string;
  /** What changes: 可用积分, 2,480, 2,680. */
  change?: Change[];
  /** What else to know, and more fields. */
  children?: ReactNode;
  /** The button repeats the act: 补 200 分，送审批. */
  act: string;
  /** 先不补. */
  cancel: string;
  /** Takes something away: the button is cinnabar. */
  danger?: boolean;
  /** Who reads the reason: 原因，会员能看到. */
  reasonLabel?: string;
  pending: boolean;
  error: unknown;
  /** The id of the field that comes first; else the reason does. */
  first?: string;
  onSubmit: (reason: string) => void;
  onCancel: () => void;
}

/** Confirms an act that wants a reason: what it is, before → after, why, and a button that says it again. */
export function ReasonDialog({ open, title, change = [], children, act, cancel, danger, reasonLabel, pending, error, first = 'reason', onSubmit, onCancel }: Props) {
  const shown = useLast(title);
  const { t } = useTranslation('ui');
  const [form] = Form.useForm<{ reason: string }>();
  return (
    <Modal
      open={open}
      title={shown}
      okText={act}
      cancelText={cancel}
      okButtonProps={{ danger, loading: pending }}
      onOk={() => form.submit()}
      onCancel={onCancel}
      afterOpenChange={(is) => is && !typing() && document.getElementById(first)?.focus()}
      afterClose={() => form.resetFields()}
      width={460}
    >
      <ChangeList changes={change} />
      {children}
      <ProblemForm form={form} error={error} onFinish={({ reason }) => onSubmit(reason.trim())}>
        <Form.Item name="reason" label={reasonLabel ?? t('reason.label')} rules={[{ required: true, whitespace: true, message: t('reason.needed') }]} style={{ marginBottom: 8 }}>
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 5 }} maxLength={200} />
        </Form.Item>
      </ProblemForm>
    </Modal>
  );
}
