import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { createQueryClient } from './api/query-client';
import { sessionQuery } from './api/session';
import { Crash } from './layout/crash';
import { Pages } from './pages';
import './styles/index.css';

const queries = createQueryClient();

// A browser may restore a page from its cache after the session has changed: look it up again.
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted) void queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
});

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <Crash>
      <QueryClientProvider client={queries}>
        <BrowserRouter>
          <Pages />
        </BrowserRouter>
      </QueryClientProvider>
    </Crash>
  </StrictMode>,
);
