import { useRef } from 'react';
import { CopyButton } from './copy-button';

type Props = { text: string; copyLabel: string; testId: string };

/** Something to copy into a terminal or a settings file. */
export function CodeLine({ text, copyLabel, testId }: Props) {
  const code = useRef<HTMLElement>(null);
  return (
    <div className="code">
      <pre>
        <code ref={code} data-testid={testId}>
          {text}
        </code>
      </pre>
      <CopyButton text={text} label={copyLabel} shownIn={code} />
    </div>
  );
}
