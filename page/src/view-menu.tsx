import { HIDEABLE, toggleColumn } from './columns.ts';
import { isShowingDeleted } from './deleted-dialog.tsx';
import { isHelping } from './help-dialog.tsx';
import { Menu } from './menu.tsx';
import { dayOf, showDay } from './past.ts';
import { texts } from './texts.ts';
import { view } from './view.ts';

/** Which columns are shown, of which day, and what else there is to see. */
export function ViewMenu() {
  const { hidden, parameters } = view.value;
  return (
    <Menu label={texts.view} isSticky>
      {HIDEABLE.map((column) => (
        <li key={column}>
          <label class="check">
            <input
              type="checkbox"
              checked={!hidden.includes(column)}
              onChange={() => toggleColumn(column)}
            />
            {texts.columns[column as keyof typeof texts.columns]}
          </label>
        </li>
      ))}
      <li>
        <label class="date">
          {texts.asItWasOn}
          <input
            type="date"
            value={dayOf(parameters.get('as_of'))}
            max={dayOf(new Date().toISOString())}
            onChange={({ currentTarget }) => showDay(currentTarget.value)}
          />
        </label>
      </li>
      <li>
        <button type="button" onClick={() => (isShowingDeleted.value = true)}>
          {texts.deleted}
        </button>
      </li>
      <li>
        <button type="button" onClick={() => (isHelping.value = true)}>
          {texts.keys}
        </button>
      </li>
      <li>
        <a href="/docs">{texts.api}</a>
      </li>
    </Menu>
  );
}
