import { render } from 'preact';
import { config } from 'zod/mini';
import { PlaygroundPage } from '../playground/page.tsx';

// The playground by itself: a page of files, with no node behind it.

// The content security policy allows no code made at run time, and the library would try.
config({ jitless: true });

const root = document.getElementById('app');
if (root !== null) render(<Alone />, root);

function Alone() {
  return (
    <>
      <a class="skip" href="#main">
        To the content
      </a>
      <header>
        <strong class="brand">Quorate</strong>
      </header>
      <main id="main">
        <PlaygroundPage />
      </main>
    </>
  );
}
