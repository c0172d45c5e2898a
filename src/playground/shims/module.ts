/** No native library is there: those who ask for one have another way. */
export function createRequire(): () => never {
  return () => {
    throw new Error('there are no native libraries in a browser');
  };
}
