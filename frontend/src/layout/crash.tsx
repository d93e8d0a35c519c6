import { Component, type ReactNode } from 'react';

/** Shown instead of a blank page if a component throws. */
export class Crash extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <main className="lone" role="alert">
        <h1>This page broke</h1>
        <p>
          The fault is in the dashboard; nothing of yours is lost. The browser’s console says more.
        </p>
        <button type="button" className="button button-primary" onClick={() => location.reload()}>
          Load it again
        </button>
      </main>
    );
  }
}
