import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { InfoDialog } from './dialogs.tsx';
import { isField } from './pasting.tsx';
import { texts } from './texts.ts';

export const isHelping = signal(false);

/** The keys of the page. `?` shows them. */
export function HelpDialog() {
  useEffect(() => {
    const help = (event: KeyboardEvent) => {
      if (event.key !== '?' || isField(event.target)) return;
      event.preventDefault();
      isHelping.value = true;
    };
    addEventListener('keydown', help);
    return () => removeEventListener('keydown', help);
  }, []);
  if (!isHelping.value) return null;
  const close = () => (isHelping.value = false);
  return (
    <InfoDialog title={texts.keys} onClose={close}>
      <table>
        <tbody>
          {Object.entries(texts.keyHelp).map(([key, meaning]) => (
            <tr key={key}>
              <th scope="row">
                <kbd>{key}</kbd>
              </th>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </InfoDialog>
  );
}
