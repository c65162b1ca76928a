import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { messageOf } from './api.ts';
import { InfoDialog } from './dialogs.tsx';
import { restore } from './edits.ts';
import { attempt } from './notices.ts';
import { read } from './reads.ts';
import { texts } from './texts.ts';
import type { Marathon } from './types.ts';

const MAX_SHOWN = 100;

export const isShowingDeleted = signal(false);
const deleted = signal<Marathon[] | undefined>(undefined);
const failure = signal<string | undefined>(undefined);

/** The marathons that were deleted last. Each can be restored. */
export function DeletedDialog() {
  useEffect(() => {
    if (isShowingDeleted.value) void fetchDeleted();
  }, [isShowingDeleted.value]);
  if (!isShowingDeleted.value) return null;
  const close = () => (isShowingDeleted.value = false);
  return (
    <InfoDialog title={texts.deleted} onClose={close}>
      {failure.value && <p role="alert">{failure.value}</p>}
      {deleted.value?.length === 0 && <p>{texts.noneDeleted}</p>}
      {Boolean(deleted.value?.length) && (
        <div class="preview" tabIndex={0} role="region" aria-label={texts.deleted}>
          <table>
            <tbody>
              {deleted.value!.map((marathon) => (
                <Deleted key={marathon.id} marathon={marathon} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </InfoDialog>
  );
}

function Deleted({ marathon }: { marathon: Marathon }) {
  const { id, name, city, inception_year: year, version } = marathon;
  const bringBack = async () => {
    await restore(id, version, version - 1);
    deleted.value = deleted.peek()?.filter((each) => each.id !== id);
  };
  return (
    <tr>
      <th scope="row">
        <bdi>{name ?? `#${id}`}</bdi>
      </th>
      <td>
        <bdi>{city ?? '–'}</bdi>
      </td>
      <td>{year ?? '–'}</td>
      <td>
        <button
          type="button"
          aria-label={`${texts.restoreDeleted}: ${name ?? id}`}
          onClick={() => void attempt(bringBack)}
        >
          {texts.restoreDeleted}
        </button>
      </td>
    </tr>
  );
}

async function fetchDeleted(): Promise<void> {
  deleted.value = undefined;
  failure.value = undefined;
  const address = `/marathon/deleted?select=*,version&limit=${MAX_SHOWN}`;
  try {
    deleted.value = (await read<{ marathon_list: Marathon[] }>(address)).marathon_list;
  } catch (error) {
    failure.value = messageOf(error);
  }
}
