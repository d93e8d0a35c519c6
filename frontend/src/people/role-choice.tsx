import type { Role } from './queries';
import { ROLES } from './roles';

type Props = { name: string; chosen: Role };

/** The roles, with what each may do. */
export function RoleChoice({ name, chosen }: Props) {
  return (
    <fieldset className="checks">
      <legend>Role</legend>
      {ROLES.map(({ role, allows }) => (
        <label key={role} className="check">
          <input type="radio" name={name} value={role} defaultChecked={role === chosen} />
          <span className="check-name">{role}</span>
          <span className="check-about">{allows}</span>
        </label>
      ))}
    </fieldset>
  );
}
