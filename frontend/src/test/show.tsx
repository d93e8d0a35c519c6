import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { MemoryRouter, useLocation } from 'react-router';
import { createQueryClient } from '../api/query-client';
import { Pages } from '../pages';

/** Renders the dashboard at an address; `place()` returns the present address. */
export function show(address: string) {
  const queries = createQueryClient();
  let place = address;
  const Place = () => {
    const { pathname, search } = useLocation();
    place = pathname + search;
    return null;
  };
  const user = userEvent.setup();
  render(
    <QueryClientProvider client={queries}>
      <MemoryRouter initialEntries={[address]}>
        <Place />
        <Pages />
      </MemoryRouter>
    </QueryClientProvider>,
  );
  return { user, queries, place: () => place };
}
