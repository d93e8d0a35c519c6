import { useId } from 'react';

type Props<T extends string> = {
  legend: string;
  options: readonly { value: T; label: string; title?: string }[];
  value: T;
  onChoose: (value: T) => void;
};

/** A choice among a few options, as radio buttons in a row. */
export function SegmentedControl<T extends string>({ legend, options, value, onChoose }: Props<T>) {
  const name = useId();
  return (
    <fieldset className="segments">
      <legend className="visually-hidden">{legend}</legend>
      {options.map((option) => (
        <label key={option.value} title={option.title}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            aria-label={option.title ?? option.label}
            onChange={() => onChoose(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
