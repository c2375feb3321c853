import { api, ok } from '@patron/shared/api/client.ts';
import { ApiProblem } from '@patron/shared/api/problem.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Form, Modal, Select, Upload } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { kinds, mostBytes, type Kind } from './api.ts';

/** The first step: which file, and what its rows are about. */
export function UploadDialog({ kind, onKind, onClose }: { kind: Kind | undefined; onKind: (kind: Kind) => void; onClose: () => void }) {
  const { t } = useTranslation('connect');
  const navigate = useNavigate();
  const [file, setFile] = useState<File>();
  const send = useWrite(
    ({ what, from }: { what: Kind; from: File }) =>
      ok(api.POST('/v1/imports', {
        params: { query: { kind: what, name: from.name.slice(0, 200) } },
        headers: { 'Content-Type': 'application/octet-stream' },
        body: from as unknown as string, // the schema knows no bytes
        bodySerializer: (body: unknown) => body as BodyInit,
      })),
    { invalidates: [['imports']], onSuccess: (made) => void navigate(`/imports/${made.id}`) },
  );
  const large = file && file.size > mostBytes;
  return (
    <Modal
      open={kind !== undefined}
      title={t('upload.title')}
      okText={t('upload.act')}
      cancelText={t('cancel')}
      okButtonProps={{ loading: send.isPending, disabled: !file || large }}
      onOk={() => file && kind && send.mutate({ what: kind, from: file })}
      onCancel={onClose}
      afterClose={() => {
        setFile(undefined);
        send.reset();
      }}
      width={520}
    >
      <ProblemAlert error={large ? new ApiProblem({ code: 'large', status: 0, title: '', detail: t('upload.large') }) : send.error} />
      <Form layout="vertical">
        <Form.Item label={t('kind')} htmlFor="import-kind" help={kind && t(`about.${kind}`)} style={{ marginBottom: 20 }}>
          <Select<Kind> id="import-kind" value={kind} onChange={(next: Kind) => onKind(next)} options={kinds.map((value) => ({ value, label: t(`kinds.${value}`) }))} />
        </Form.Item>
        <Upload.Dragger
          accept=".csv,.gz,.xlsx,.tsv,.txt"
          maxCount={1}
          fileList={file ? [{ uid: '1', name: file.name, size: file.size }] : []}
          beforeUpload={(picked) => {
            setFile(picked);
            send.reset();
            return false;
          }}
          onRemove={() => setFile(undefined)}
        >
          <p style={{ color: 'var(--primary)' }}><Icon name="upload" size={32} /></p>
          <p>{t('upload.drop')}</p>
          <p className="quiet">{t('upload.formats')}</p>
        </Upload.Dragger>
      </Form>
    </Modal>
  );
}
