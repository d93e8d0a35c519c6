import type { Token } from './queries';

export type TokenState = 'active' | 'expired' | 'revoked';

/** Whether a token is still valid, and if not, why. */
export function stateOf({ revoked_at, expires_at }: Token, now: number): TokenState {
  if (revoked_at != null) return 'revoked';
  return expires_at != null && Date.parse(expires_at) <= now ? 'expired' : 'active';
}
