import type { Session } from '../api/session';
import type { Scope } from '../tokens/queries';
import type { Role } from './queries';

/** What the server lets each role do, in a few words; the whole table is in the domain. */
export const ROLES: readonly { role: Role; allows: string }[] = [
  { role: 'owner', allows: 'Everything, people included' },
  { role: 'engineer', allows: 'Everything but people, and tokens with the scope admin' },
  { role: 'analyst', allows: 'Query reports and activities' },
  { role: 'auditor', allows: 'Query, read the whole history, trace tokens' },
];

/** Whether a member may invite and remove people and change their roles. */
export function mayManagePeople({ member }: Session): boolean {
  return member.role === 'owner';
}

/** The scopes that a member may give to a token. Only an owner gives `admin`, which could invite an owner. */
export function scopesToGive({ member, scopes }: Session): readonly Scope[] {
  return member.role === 'owner' ? scopes : scopes.filter((scope) => scope !== 'admin');
}

/** The role that was chosen in a form. */
export function roleOf(chosen: string): Role | undefined {
  return ROLES.find(({ role }) => role === chosen)?.role;
}
