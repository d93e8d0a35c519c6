import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';

// A machine may be busy with other things; what does not come at all still fails.
configure({ asyncUtilTimeout: 8_000 });

afterEach(() => {
  cleanup();
  document.title = '';
});

// What jsdom does not have and the pages use: nothing is ever laid out here.
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
