import { useState, type ComponentProps } from 'react';

/** A password, which can be made visible to see what was typed. */
export function PasswordInput(input: Omit<ComponentProps<'input'>, 'type'>) {
  const [isVisible, setVisible] = useState(false);
  return (
    <div className="password">
      <input {...input} type={isVisible ? 'text' : 'password'} />
      <button
        type="button"
        className="password-toggle"
        aria-pressed={isVisible}
        aria-label="Show password"
        onClick={() => setVisible(!isVisible)}
      >
        {isVisible ? 'Hide' : 'Show'}
      </button>
    </div>
  );
}
