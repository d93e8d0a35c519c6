import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';

// Long enough for a busy machine; what never appears still fails.
configure({ asyncUtilTimeout: 8_000 });

afterEach(() => {
  cleanup();
  document.title = '';
});

// What the pages use and jsdom lacks. It has no layout.
globalThis.ResizeObserver = class {
  observe() {
    return;
  }
  unobserve() {
    return;
  }
  disconnect() {
    return;
  }
};
window.scrollTo = () => undefined;

HTMLDialogElement.prototype.showModal = function () {
  this.open = true;
};
HTMLDialogElement.prototype.close = function () {
  this.open = false;
  this.dispatchEvent(new Event('close'));
};
