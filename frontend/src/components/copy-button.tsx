import { useEffect, useState, type RefObject } from 'react';

const SAID_FOR_MS = 2_000;
const LABELS = { ready: 'Copy', copied: 'Copied', selected: 'Press Ctrl+C' };

type Props = { text: string; label: string; shownIn: RefObject<HTMLElement | null> };

/** Copies a text. Where the browser does not allow it (no HTTPS), selects it for the reader to copy. */
export function CopyButton({ text, label, shownIn }: Props) {
  const [state, setState] = useState<keyof typeof LABELS>('ready');
  useEffect(() => {
    if (state === 'ready') return;
    const timer = setTimeout(() => setState('ready'), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [state]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState('copied');
    } catch {
      if (shownIn.current !== null) window.getSelection()?.selectAllChildren(shownIn.current);
      setState('selected');
    }
  };
  return (
    <button type="button" className="button button-small copy" aria-label={label} onClick={copy}>
      <span aria-live="polite">{LABELS[state]}</span>
    </button>
  );
}
