/** Simulated nodes write no log. */
export function pino(): never {
  throw new Error('there is no log in a browser');
}
