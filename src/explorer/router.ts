import { signal } from '@preact/signals';

/** A page of the explorer. Its name stands in the address, so that it can be kept and shared. */
interface Place {
  readonly page: string;
  /** What the page is about: a height, a hash, an address, a record's key. */
  readonly about: string;
}

/** The address behind the #: `#/block/12`. What it is about may hold any characters, encoded. */
function placeOf(hash: string): Place {
  const [, page = '', about = ''] = /^#\/([a-z]*)(?:\/(.*))?$/s.exec(hash) ?? [];
  try {
    return { page, about: decodeURIComponent(about) };
  } catch {
    return { page, about: '' };
  }
}

export function linkTo(page: string, about: string | number = ''): string {
  return about === '' ? `#/${page}` : `#/${page}/${encodeURIComponent(about)}`;
}

export const place = signal<Place>(placeOf(location.hash));

addEventListener('hashchange', () => {
  place.value = placeOf(location.hash);
  scrollTo(0, 0);
  // A screen reader says which page it is.
  document.querySelector<HTMLElement>('main h1')?.focus();
});
