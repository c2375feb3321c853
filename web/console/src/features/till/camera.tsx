import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog, Trouble } from './dialog.tsx';
import styles from './till.module.css';

interface Detector {
  detect: (from: HTMLVideoElement) => Promise<{ rawValue: string }[]>;
}
declare const BarcodeDetector: undefined | (new () => Detector);

const everyMs = 150;

/** Reads a code by camera: with the browser's own reader, else with one that knows QR codes. */
export default function Camera({ read, close }: { read: (code: string) => void; close: () => void }) {
  const { t } = useTranslation('till');
  const video = useRef<HTMLVideoElement>(null);
  const got = useRef(read);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    got.current = read;
  });
  useEffect(() => {
    let over = false;
    let stream: MediaStream | undefined;
    void (async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
        const screen = video.current;
        if (over || !screen) return stream.getTracks().forEach((track) => track.stop());
        screen.srcObject = stream;
        await screen.play();
        const look = await reader();
        while (!over) {
          const code = await look(screen);
          if (code && !over) return got.current(code);
          await new Promise((resolve) => setTimeout(resolve, everyMs));
        }
      } catch {
        if (!over) setFailed(true);
      }
    })();
    return () => {
      over = true;
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, []);
  return (
    <Dialog title={t('camera.title')} close={close}>
      {failed ? <Trouble>{t('camera.failed')}</Trouble> : <video ref={video} className={styles.video} muted playsInline aria-label={t('camera.title')} />}
    </Dialog>
  );
}

async function reader(): Promise<(from: HTMLVideoElement) => Promise<string | undefined>> {
  if (typeof BarcodeDetector !== 'undefined') {
    const detector = new BarcodeDetector();
    return async (from) => (await detector.detect(from))[0]?.rawValue;
  }
  const { default: jsQR } = await import('jsqr');
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d', { willReadFrequently: true })!;
  return async (from) => {
    if (!from.videoWidth) return undefined;
    [canvas.width, canvas.height] = [from.videoWidth, from.videoHeight];
    pen.drawImage(from, 0, 0);
    const { data, width, height } = pen.getImageData(0, 0, canvas.width, canvas.height);
    return jsQR(data, width, height)?.data || undefined;
  };
}
