import type { ReactNode } from 'react';

/** The frame of log-in, sign-up and the pages of links: what Daybook is on one side, the form on the other. */
export function SignInLayout({ children }: { children: ReactNode }) {
  return (
    <div className="sign-in">
      <section className="sign-in-about" aria-label="About Daybook">
        <p className="brand brand-large">
          <img src="/favicon.svg" alt="" width="34" height="34" />
          <span>Daybook</span>
        </p>
        <p className="sign-in-claim">Everything your users do, in the order it happened.</p>
        <ul className="sign-in-points">
          <li>
            <strong>One log.</strong> What was acknowledged is on disk, and nothing in it is ever
            changed.
          </li>
          <li>
            <strong>Reports that follow it.</strong> Each is a fold of the log, and says up to
            where.
          </li>
          <li>
            <strong>One line to begin.</strong> A token and <code>curl</code> are all it takes.
          </li>
        </ul>
        <p className="sign-in-links">
          <a href="/docs">API docs</a>
        </p>
      </section>
      <main className="sign-in-main">{children}</main>
    </div>
  );
}
