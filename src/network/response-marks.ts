/** The first byte of a response: here it is, there is none, or ask again later. */
export const responseMarks = { answered: 0, refused: 1, busy: 2 } as const;
