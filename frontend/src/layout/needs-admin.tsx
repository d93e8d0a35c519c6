import type { ReactNode } from 'react';
import { useSession } from './members-only';

/** Shown in place of what needs the scope `admin`. */
export function NeedsAdmin({ title, children }: { title: string; children?: ReactNode }) {
  const { member } = useSession();
  return (
    <div className="panel nothing" data-testid="no-admin">
      <p className="nothing-title">{title}</p>
      <p>
        You are logged in as {member.role}, a role without the scope <code>admin</code>.{children}
      </p>
    </div>
  );
}
