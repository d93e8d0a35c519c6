// What a reader would see in the browser's console: errors, refused requests, requests without an answer.

/** Watches a page; `none()` throws if there was a fault that no step said to expect. */
export function watchForFaults(page, url) {
  const faults = [];
  const expected = new Set();

  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    // The browser's own note about a refused request; the request itself is judged below.
    if (message.text().startsWith('Failed to load resource')) return;
    faults.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('requestfailed', (request) => {
    // A page that is left aborts its requests.
    const reason = request.failure()?.errorText;
    if (reason !== 'net::ERR_ABORTED') faults.push(`${named(request)}: ${reason}`);
  });
  page.on('response', (response) => {
    const fault = `${named(response.request())}: ${response.status()}`;
    const isExpected = [...expected].some((pattern) => pattern.test(fault));
    if (response.status() >= 400 && !isExpected) faults.push(fault);
  });

  const named = (request) => `${request.method()} ${request.url().replace(url, '').split('?')[0]}`;

  return {
    /** From here on this may happen, written as `GET /v1/session: 401`. */
    expect: (pattern) => expected.add(pattern),
    none() {
      if (faults.length > 0) throw new Error(`faults in the browser:\n  ${faults.join('\n  ')}`);
    },
  };
}
