import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Title } from './parts.tsx';

type Page = (props: { about: string }) => JSX.Element;

/** A page whose code comes when somebody wants it: most who look at a chain do not. */
export function later(title: string, load: () => Promise<Page>): Page {
  return ({ about }): JSX.Element => {
    const loaded = useSignal<{ readonly Page: Page } | 'failed' | undefined>(undefined);
    useEffect(() => {
      load().then(
        (Page) => (loaded.value = { Page }),
        () => (loaded.value = 'failed'),
      );
    }, []);
    const { value } = loaded;
    if (value === 'failed') {
      return (
        <>
          <Title>{title}</Title>
          <p role="alert">The node did not send this page. Load it again when the node answers.</p>
        </>
      );
    }
    return value === undefined ? <Title>{title}</Title> : <value.Page about={about} />;
  };
}
