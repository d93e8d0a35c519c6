import { useId } from 'react';
import { chosenIn, OPERATORS, readFilter, type Choice, type Chosen } from './choices';
import type { Report } from './report';

type Props = {
  report: Report;
  types: string;
  chosen: Chosen;
  onShow: (types: string, chosen: Chosen) => void;
};

/** What the reader chooses for one report. It is shown with the button, and at once where there is a list. */
export function ReportForm({ report, types, chosen, onShow }: Props) {
  const id = useId();
  const { choices = [] } = report;
  if (report.types === undefined && choices.length === 0) return null;
  return (
    <form
      className="report-form"
      aria-label="What the report shows"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        const named = form.get('types');
        onShow(typeof named === 'string' ? named : '', chosenIn(choices, form));
      }}
    >
      {report.types !== undefined && (
        <div className="field">
          <label htmlFor={id}>{report.types.label}</label>
          <input id={id} name="types" defaultValue={types} autoComplete="off" />
        </div>
      )}
      {choices.map((choice) => (
        <ChoiceField
          key={choice.parameter}
          choice={choice}
          value={chosen[choice.parameter] ?? ''}
        />
      ))}
      <button className="button">Show</button>
    </form>
  );
}

function ChoiceField({ choice, value }: { choice: Choice; value: string }) {
  const id = useId();
  if (choice.kind === 'filter') return <FilterFields {...choice} value={value} />;
  return (
    <div className="field">
      <label htmlFor={id}>{choice.label}</label>
      {choice.kind === 'select' ? (
        <select
          id={id}
          name={choice.parameter}
          defaultValue={value === '' ? choice.options[0].value : value}
          onChange={({ target }) => target.form?.requestSubmit()}
        >
          {choice.options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          name={choice.parameter}
          defaultValue={value}
          placeholder={choice.example}
          autoComplete="off"
        />
      )}
    </div>
  );
}

type FilterProps = { parameter: string; label: string; value: string };

function FilterFields({ parameter, label, value }: FilterProps) {
  const filter = readFilter(value);
  return (
    <fieldset className="field filter-fields">
      <legend>{label}</legend>
      <input
        name={`${parameter}-field`}
        aria-label="Field"
        defaultValue={filter?.field}
        placeholder="properties.plan"
        autoComplete="off"
      />
      <select
        name={`${parameter}-operator`}
        aria-label="Operator"
        defaultValue={filter?.operator ?? 'is'}
      >
        {Object.entries(OPERATORS).map(([operator, name]) => (
          <option key={operator} value={operator}>
            {name}
          </option>
        ))}
      </select>
      <input
        name={`${parameter}-value`}
        aria-label="Value"
        defaultValue={filter?.value}
        placeholder="team"
        autoComplete="off"
      />
    </fieldset>
  );
}
