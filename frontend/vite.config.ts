import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** What the pages of `npm run dev` talk to. */
const backend = process.env.DAYBOOK_URL ?? 'http://127.0.0.1:8080';

/** Serves docs.html at /docs in development, as the gateway does in production. */
const docsPage: Plugin = {
  name: 'docs-page',
  configureServer(server) {
    server.middlewares.use((request, _response, next) => {
      if (request.url === '/docs') request.url = '/docs.html';
      next();
    });
  },
};

export default defineConfig({
  plugins: [react(), docsPage],
  server: {
    proxy: { '/v1': backend, '/openapi.json': backend, '/healthz': backend },
  },
  build: {
    // The content security policy allows no data: scripts or styles, and a file of its own can be cached for ever.
    assetsInlineLimit: 0,
    // The viewer of the API document is one big file from its makers; only /docs loads it.
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: ['index.html', 'docs.html'] },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/test/setup.ts'],
    testTimeout: 30_000,
    // Times in the tests mean the same on every machine.
    env: { TZ: 'UTC' },
  },
});
