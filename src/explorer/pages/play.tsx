import { useSignal } from '@preact/signals';
import type { ComponentType, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Title } from '../parts.tsx';

/** The playground and its lessons come when somebody wants them: most who look at a chain do not. */
export function PlayPage(): JSX.Element {
  const loaded = useSignal<{ readonly Page: ComponentType } | 'failed' | undefined>(undefined);
  useEffect(() => {
    import('../../playground/page.tsx').then(
      ({ PlaygroundPage }) => (loaded.value = { Page: PlaygroundPage }),
      () => (loaded.value = 'failed'),
    );
  }, [loaded]);
  const { value } = loaded;
  if (value === 'failed') {
    return (
      <>
        <Title>Playground</Title>
        <p role="alert">The node did not send it. Load this page again when it answers.</p>
      </>
    );
  }
  return value === undefined ? <Title>Playground</Title> : <value.Page />;
}
